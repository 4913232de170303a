from typing import get_args

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.api.leaderboards import PartOfWeek
from app.history.features import NONE
from app.scoring.prior import BUCKET_NAMES

LIKE = {"events": [{"event_id": "e1", "user_id": "a/b", "item_id": "50", "type": "like"}]}


def test_a_list_tells_items_with_their_worth_and_the_window(client: TestClient) -> None:
    answer = client.get("/v1/popular").json()

    assert answer == {
        "items": [
            {
                "item_id": "50",
                "worth": 1.5,
                "events": 2,
                "properties": {"year": 1977, "title": "Star Wars (1977)", "categories": ["Action", "Sci-Fi"]},
            }
        ],
        "since": "2025-06-06T00:00:00Z",
        "until": "2025-06-06T00:00:00Z",
    }
    assert client.get("/v1/fresh").json() == {"items": [], "since": None, "until": None}


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("popular", ("popular", 20, None, None, None, NONE)),
        (
            "popular?k=3&window_s=60&category=Drama&part_of_week=weekend%20day",
            ("popular", 3, 60, "Drama", BUCKET_NAMES.index("weekend day"), NONE),
        ),
        ("trending", ("trending", 20, 259_200, None, None, NONE)),
        (
            "trending?feature=device:phone&feature=place:12:30%20train",
            ("trending", 20, 259_200, None, None, {("device", "phone"), ("place", "12:30 train")}),
        ),
        ("fresh?window_s=5&category=Drama", ("fresh", 20, 5, "Drama")),
    ],
)
def test_windows_categories_parts_of_the_week_and_features_are_passed_on(
    client: TestClient, resources: FakeResources, query: str, asked: tuple[object, ...]
) -> None:
    assert client.get(f"/v1/{query}").status_code == 200
    assert resources.leaderboards.asked == asked


def test_the_parts_of_the_week_are_those_of_the_prior() -> None:
    assert get_args(PartOfWeek) == BUCKET_NAMES


@pytest.mark.parametrize(
    "query",
    [
        *("popular?k=0", "popular?window_s=0", "trending?part_of_week=noon", "fresh?k=501"),
        *("popular?feature=device", "popular?feature=device:", "trending?feature=two%20words:x"),
        "popular?" + "&".join(f"feature=f{n}:x" for n in range(33)),
    ],
)
def test_what_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/{query}").json()["type"] == "/problems/invalid-request"


def test_similar_items_are_told_with_their_parts(client: TestClient, resources: FakeResources) -> None:
    answer = client.get("/v1/items/50/similar?k=3&by=behaviour&user_id=1&user_impact=0.5")

    assert resources.similarity.asked == ("50", "behaviour", "1", 3, 0.5)
    assert answer.json()["items"][0]["parts"] == {"text": 0.25, "behaviour": 0.25}
    assert answer.json()["rung"] is None
    assert client.get("/v1/items/nowhere/similar").json()["type"] == "/problems/unknown-item"


def test_an_id_with_slashes_has_similar_items_too(client: TestClient) -> None:
    client.put("/v1/items/a%2Fb", json={"title": "A film"})

    assert client.get("/v1/items/a/b/similar").json()["item_id"] == "a/b"


def test_no_item_is_put_under_an_id_that_could_not_be_read(client: TestClient, resources: FakeResources) -> None:
    answer = client.put("/v1/items/a/similar", json={"title": "A film"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert list(resources.catalogue.items) == ["50"]


def test_similar_users_are_told_and_kept_by_no_cache(client: TestClient) -> None:
    client.post("/v1/events", json=LIKE)

    answer = client.get("/v1/users/a%2Fb/similar?k=5")

    assert answer.json() == {"user_id": "a/b", "users": [{"user_id": "2", "likeness": 0.5, "shared_items": 3}]}
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/v1/users/nobody/similar").json()["type"] == "/problems/unknown-user"


@pytest.mark.parametrize(("body", "breadth"), [({}, 60), ({"k": 5}, 15), ({"k": 5, "breadth": 8}, 8)])
def test_a_search_asks_for_its_words_among_everything_seen_or_not(
    client: TestClient, resources: FakeResources, body: dict[str, int], breadth: int
) -> None:
    answer = client.post("/v1/search", json={"words": "space", **body})

    assert answer.status_code == 200
    request = resources.recommender.request
    assert request is not None
    assert (request.words, request.seen, resources.recommender.breadth) == ("space", "always", breadth)


def test_a_search_without_words_is_refused(client: TestClient) -> None:
    for body in ({}, {"words": " "}, {"words": None}):
        assert client.post("/v1/search", json=body).json()["type"] == "/problems/invalid-request"
