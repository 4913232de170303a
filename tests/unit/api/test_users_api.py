from api_fakes import FakeResources
from fastapi.testclient import TestClient

LIKE = {"events": [{"event_id": "e1", "user_id": "a/b", "item_id": "50", "type": "like"}]}


def test_interests_are_told_with_the_events_behind_them(client: TestClient) -> None:
    client.post("/v1/events", json=LIKE)

    answer = client.get("/v1/users/a%2Fb/interests")

    assert answer.json() == {
        "user_id": "a/b",
        "interests": [
            {
                "label": "space",
                "phrases": ["space", "robots"],
                "weight": 1.0,
                "evidence": [{"event_id": "e1", "item_id": "50", "title": "A film", "effect": 0.5}],
            }
        ],
    }


def test_no_cache_on_the_way_may_keep_them(client: TestClient) -> None:
    client.post("/v1/events", json=LIKE)

    assert client.get("/v1/users/a%2Fb/interests").headers["cache-control"] == "no-store"


def test_a_user_without_events_is_unknown(client: TestClient) -> None:
    answer = client.get("/v1/users/nobody/interests")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-user")


def test_an_encoder_that_takes_too_long_is_an_overload(client: TestClient, resources: FakeResources) -> None:
    resources.readers.error = TimeoutError()

    answer = client.get("/v1/users/1/interests")

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/overloaded")
    assert answer.headers["retry-after"] == "1"
