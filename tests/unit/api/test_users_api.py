import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient
from httpx2 import Response

from app.errors import TooManyEdits

LIKE = {"events": [{"event_id": "e1", "user_id": "a/b", "item_id": "50", "type": "like"}]}


def test_interests_are_told_with_the_events_behind_them(client: TestClient) -> None:
    client.post("/v1/events", json=LIKE)

    answer = client.get("/v1/users/a%2Fb/interests")

    at = answer.json()["interests"][0]["last_seen_at"]
    assert answer.json() == {
        "user_id": "a/b",
        "interests": [
            {
                "label": "space",
                "phrases": ["space", "robots"],
                "weight": 1.0,
                "polarity": "positive",
                "confidence": 0.9,
                "last_seen_at": at,
                "edit": None,
                "evidence": [{"event_id": "e1", "item_id": "50", "title": "A film", "at": at, "effect": 0.5}],
                "evidence_method": "leave_one_out",
            }
        ],
        "edits": [],
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


def edit(client: TestClient, *operations: dict[str, str]) -> Response:
    return client.patch("/v1/users/a%2Fb/interests", json={"operations": operations})


def test_what_is_said_of_phrases_comes_back_with_what_never_removes(client: TestClient) -> None:
    answer = edit(client, {"op": "less", "phrase": " horror "}, {"op": "never", "phrase": "Musical"})

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "user_id": "a/b",
            "edits": [
                {"op": "less", "phrase": "horror", "at": "2025-06-06T20:30:00Z", "items_removed": None},
                {"op": "never", "phrase": "Musical", "at": "2025-06-06T20:30:00Z", "items_removed": 3},
            ],
        },
    )
    assert [said["phrase"] for said in edit(client, {"op": "reset", "phrase": "horror"}).json()["edits"]] == ["Musical"]
    assert edit(client, {"op": "reset"}).json()["edits"] == []


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ({"op": "more"}, "operations.0"),
        ({"op": "more", "phrase": " "}, "operations.0.phrase"),
        ({"op": "less", "phrase": "x" * 201}, "operations.0.phrase"),
        ({"op": "hate", "phrase": "horror"}, "operations.0.op"),
        ({"op": "less", "phrases": "horror"}, "operations.0.phrases"),
    ],
)
def test_an_edit_that_says_nothing_clear_is_refused_and_changes_nothing(
    client: TestClient, resources: FakeResources, operation: dict[str, str], field: str
) -> None:
    answer = edit(client, operation)

    assert answer.status_code == 422
    assert field in answer.text
    assert resources.editor.said == {}


@pytest.mark.parametrize("n", [0, 21])
def test_no_edits_or_too_many_at_once_are_refused(client: TestClient, n: int) -> None:
    assert edit(client, *[{"op": "less", "phrase": "horror"}] * n).status_code == 422


def test_more_edits_than_are_kept_are_a_conflict(client: TestClient, resources: FakeResources) -> None:
    resources.editor.error = TooManyEdits("101 edits")

    answer = edit(client, {"op": "less", "phrase": "horror"})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-many-edits")
