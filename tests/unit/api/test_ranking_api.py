import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient


def test_the_callers_items_come_back_and_unknown_ones_are_named(client: TestClient) -> None:
    answer = client.post("/v1/rank", json={"user_id": "1", "items": ["no-such", "50"]})

    assert answer.status_code == 200
    assert [(item["item_id"], item["sources"]) for item in answer.json()["items"]] == [("50", ["caller"])]
    assert answer.json()["served_by"]["unknown_items"] == ["no-such"]


def test_whoever_asks_is_told_as_for_a_slate(client: TestClient, resources: FakeResources) -> None:
    client.post("/v1/rank", json={"words": " light ", "items": ["50"], "context": {"at": "2025-06-06T20:30:00Z"}})

    assert resources.recommender.request is not None
    assert resources.recommender.request.words == "light"
    assert resources.recommender.request.context.at.hour == 20


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": ["x"] * 501}, {"items": ["50"], "k": 3}])
def test_no_items_too_many_or_a_field_of_another_route_are_refused(client: TestClient, body: dict[str, object]) -> None:
    answer = client.post("/v1/rank", json=body)

    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/invalid-request")


def test_items_told_on_the_spot_come_back_by_their_id_or_their_place(client: TestClient) -> None:
    told = {"title": "Night Train", "categories": ["Mystery"], "properties": {"year": 2013}}

    answer = client.post("/v1/rank", json={"items": ["50", told, {**told, "item_id": "draft-7"}]})

    assert [item["item_id"] for item in answer.json()["items"]] == ["50", "items[1]", "draft-7"]
    assert answer.json()["items"][1]["properties"] == {"title": "Night Train", "categories": ["Mystery"], "year": 2013}


def test_an_item_told_without_a_title_is_refused(client: TestClient) -> None:
    assert client.post("/v1/rank", json={"items": [{"item_id": "draft-7"}]}).status_code == 422


@pytest.mark.parametrize("value", ["x" * 10_001, ["x" * 10_001], [1, "x" * 10_001, None], ["x"] * 101, [["x"]]])
def test_a_property_past_its_bounds_is_refused_in_a_list_too(client: TestClient, value: object) -> None:
    answer = client.post("/v1/rank", json={"items": [{"title": "Night Train", "properties": {"note": value}}]})

    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/invalid-request")
