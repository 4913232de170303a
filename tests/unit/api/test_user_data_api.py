import json

from api_fakes import FakeResources
from fastapi.testclient import TestClient


def tell(client: TestClient, event_id: str, user_id: str) -> None:
    event = {"event_id": event_id, "user_id": user_id, "item_id": "50", "type": "like"}
    assert client.post("/v1/events", json={"events": [event]}).status_code == 200


def test_a_session_is_merged_into_a_user(client: TestClient, resources: FakeResources) -> None:
    tell(client, "e1", "session-1")

    answer = client.post("/v1/users/ada/merge", json={"from_user_id": "session-1"})

    assert answer.json() == {"user_id": "ada", "from_user_id": "session-1", "moved": {"events": 1}}
    assert resources.histories.events["e1"][0].user_id == "ada"


def test_a_user_is_not_merged_into_itself(client: TestClient) -> None:
    answer = client.post("/v1/users/ada/merge", json={"from_user_id": "ada"})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/merge-refused")


def test_an_export_is_lines_of_json(client: TestClient) -> None:
    tell(client, "e1", "ada")
    tell(client, "e2", "ada")

    answer = client.get("/v1/users/ada/export")

    assert answer.headers["content-type"].startswith("application/jsonl")
    assert [json.loads(line)["row"]["event_id"] for line in answer.text.splitlines()] == ["e1", "e2"]


def test_an_export_of_nobody_is_no_empty_file(client: TestClient) -> None:
    answer = client.get("/v1/users/nobody/export")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-user")


def test_an_erasure_answers_with_a_receipt(client: TestClient, resources: FakeResources) -> None:
    tell(client, "e1", "a/b")

    receipt = client.delete("/v1/users/a/b").json()

    assert (receipt["user_id"], receipt["rows"], receipt["incomplete"]) == ("a/b", {"events": 1}, {})
    assert resources.histories.events == {}
