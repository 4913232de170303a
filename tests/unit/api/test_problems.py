import asyncio
import json

import pytest
from api_fakes import MAX_BODY_BYTES, FakeResources
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from app.errors import Overloaded, StoreUnavailable

JSON = {"Content-Type": "application/json"}
RECOMMEND = "/v1/recommendations"


def test_a_problem_has_the_members_of_rfc_9457_and_the_request_id(client: TestClient) -> None:
    answer = client.get("/v1/items/ghost")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/unknown-item",
        "title": "No such item",
        "status": 404,
        "detail": "no item 'ghost'",
        "request_id": answer.headers["x-request-id"],
    }


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"k": 1' + b"0" * 5_000 + b"}", b"[" * 100_000])
def test_a_body_that_is_no_json_is_malformed(client: TestClient, body: bytes) -> None:
    answer = client.post(RECOMMEND, content=body or b" ", headers=JSON)

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-body")


def test_a_body_that_is_missing_is_not_well_formed(client: TestClient) -> None:
    answer = client.post(RECOMMEND)

    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (422, "body")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_json_under_another_content_type_is_not_read(client: TestClient, content_type: str | None) -> None:
    answer = client.post(RECOMMEND, content=b"{}", headers={"Content-Type": content_type} if content_type else {})

    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")


def test_a_body_of_exactly_the_limit_is_read(client: TestClient) -> None:
    answer = client.post(RECOMMEND, content=b"{}".ljust(MAX_BODY_BYTES), headers=JSON)

    assert answer.status_code == 200


def test_a_body_announced_as_too_large_is_refused_unread(client: TestClient) -> None:
    answer = client.post(RECOMMEND, content=b"{}".ljust(MAX_BODY_BYTES + 1), headers=JSON)

    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")


def test_a_body_that_turns_out_too_large_is_read_up_to_the_limit_only(client: TestClient) -> None:
    chunk = b" " * 100_000
    received, sent = [], []

    async def receive() -> Message:
        received.append(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": RECOMMEND,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")],
    }
    asyncio.run(client.app(scope, receive, send))

    assert (sent[0]["status"], json.loads(sent[1]["body"])["type"]) == (413, "/problems/body-too-large")
    assert len(received) == MAX_BODY_BYTES // len(chunk) + 1


def test_a_path_that_nobody_serves(client: TestClient) -> None:
    answer = client.get("/v2/recommendations")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-route")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", RECOMMEND, "POST"),
        ("POST", "/v1/items/50", "DELETE, GET, PATCH, PUT"),
        ("DELETE", "/v1/users/1/interests", "GET, PATCH"),
        ("PUT", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_every_right_one(client: TestClient, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["allow"] == allowed


def test_our_own_errors_tell_when_to_come_back_and_keep_their_reasons_to_the_log(
    client: TestClient, resources: FakeResources
) -> None:
    resources.recommender.error = StoreUnavailable("/var/secret.sqlite3: the disk is full")

    answer = client.post(RECOMMEND, json={})

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store-unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "secret" not in answer.text


def test_a_full_queue_asks_for_a_second_of_patience(client: TestClient, resources: FakeResources) -> None:
    resources.recommender.error = Overloaded("64 wait")

    answer = client.post(RECOMMEND, json={})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_what_nobody_foresaw_gives_nothing_away(client: TestClient, resources: FakeResources) -> None:
    resources.recommender.error = RuntimeError("secret")

    answer = client.post(RECOMMEND, json={})

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


def test_twenty_faults_are_enough(client: TestClient) -> None:
    answer = client.post("/v1/events", json={"events": [{}] * 100})

    assert len(answer.json()["errors"]) == 20


@pytest.mark.parametrize(
    "body",
    [
        {"canary": 1},
        {"history": [{"canary": 1}]},
        {"context": {"canary canary": 1}},
        {"context": {"canary": []}},
        {"user_id": ["canary"]},
        {"k": "canary"},
        {"seen": "canary"},
        {"context": {"at": "canary"}},
        {"context": {"at": "2025-01-01Tcanary"}},
        ["canary"],
        "canary",
    ],
)
def test_a_refusal_repeats_neither_values_nor_names_of_what_was_sent(client: TestClient, body: object) -> None:
    answer = client.post(RECOMMEND, json=body)

    assert answer.status_code == 422
    assert "canary" not in answer.text


KEYS = st.sampled_from(["user_id", "history", "words", "context", "k", "exclude", "seen", "at", "type"]) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=VALUES)
def test_whatever_json_is_sent_it_is_understood_or_refused(client: TestClient, body: object) -> None:
    answer = client.post(RECOMMEND, content=json.dumps(body), headers=JSON)

    assert answer.status_code in {200, 422}
    assert answer.json()


def test_every_type_leads_to_a_page_that_tells_what_to_do(client: TestClient) -> None:
    listed = client.get("/problems").json()

    assert {"/problems/unknown-item", "/problems/body-too-large", "/problems/internal"} <= {p["type"] for p in listed}
    assert [client.get(problem["type"]).json() for problem in listed] == listed


def test_a_type_that_there_is_not_is_not_found(client: TestClient) -> None:
    assert client.get("/problems/boredom").status_code == 404
