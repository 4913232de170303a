import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.domain import Item, ItemId


def test_a_map_without_anybody_is_its_items(client: TestClient) -> None:
    answer = client.get("/v1/map")

    assert answer.headers["cache-control"] == "no-store"
    drawn = answer.json()
    assert drawn["items"] == [
        {"item_id": "50", "title": "Star Wars (1977)", "categories": ["Action", "Sci-Fi"], "x": 0.0, "y": 0.0}
    ]
    assert drawn["interests"] == []
    assert (drawn["bundle"], drawn["share"], drawn["n_items"], drawn["degraded"]) == ("bundle-1", [0.5, 0.25], 1, [])


@pytest.mark.parametrize(
    ("asked", "label", "source"), [({"user_id": "1"}, "1", "interests"), ({"words": " space "}, "space", "words")]
)
def test_who_asks_is_placed_among_them(client: TestClient, asked: dict[str, str], label: str, source: str) -> None:
    (interest,) = client.get("/v1/map", params=asked).json()["interests"]

    assert interest == {"label": label, "source": source, "x": 0.0, "y": 0.0, "nearest": ["50"]}


def test_a_limit_cuts_the_items_and_says_how_many_there_are(client: TestClient, resources: FakeResources) -> None:
    resources.catalogue.items[ItemId("51")] = Item(ItemId("51"), "Solaris")

    drawn = client.get("/v1/map", params={"limit": 1}).json()

    assert (len(drawn["items"]), drawn["n_items"]) == (1, 2)


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 5_001}, {"words": " "}, {"user_id": ""}, {"user_id": "a\x07"}]
)
def test_what_is_out_of_range_is_refused(client: TestClient, asked: dict[str, object]) -> None:
    answer = client.get("/v1/map", params=asked)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
