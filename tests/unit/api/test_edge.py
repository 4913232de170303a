import asyncio
import re
from uuid import uuid4

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.api.edge import LastResort, PlainStart
from app.errors import BundleError


def test_every_answer_names_its_request(client: TestClient) -> None:
    answers = [client.get(path) for path in ("/livez", "/docs", "/nowhere", "/docs/nowhere")]

    assert all(re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"]) for answer in answers)


def test_a_request_id_of_the_clients_own_is_kept(client: TestClient) -> None:
    ours = str(uuid4())

    assert client.get("/livez", headers={"X-Request-ID": ours}).headers["x-request-id"] == ours


def test_a_request_id_that_is_none_is_replaced(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-ID": "canary"}).headers["x-request-id"] != "canary"


@pytest.mark.parametrize("path", ["/livez", "/docs", "/nowhere", "/v1/recommendations"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_request_is_one_line_in_the_log_without_its_path(client: TestClient) -> None:
    with capture_logs() as lines:
        client.get("/v1/users/canary/interests")

    (line,) = lines
    assert (line["event"], line["method"], line["status"]) == ("request_served", "GET", 404)
    assert line["route"] == "/v1/users/{user_id:path}/interests"
    assert "canary" not in str(line)


def test_probes_are_not_logged(client: TestClient) -> None:
    with capture_logs() as lines:
        for path in ("/livez", "/readyz", "/healthz", "/metrics"):
            client.get(path)

    assert lines == []


def test_a_crash_is_logged_beside_its_request(client: TestClient, resources: FakeResources) -> None:
    resources.recommender.error = RuntimeError("secret")

    with capture_logs() as lines:
        client.post("/v1/recommendations", json={})

    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("request_crashed", "error"),
        ("request_served", "info"),
    ]


def test_a_crash_within_an_answer_is_left_to_the_server() -> None:
    async def crash_half_way(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    sent: list[Message] = []

    with pytest.raises(RuntimeError):
        asyncio.run(LastResort(crash_half_way)({"type": "http"}, _receive, _collect_in(sent)))
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_a_start_stopped_by_our_own_error_is_told_in_one_line() -> None:
    sent = _failed_start(BundleError("no bundle at artifacts/current: run `make demo`"))

    assert sent == [{"type": "lifespan.startup.failed", "message": "no bundle at artifacts/current: run `make demo`"}]


def test_a_start_stopped_by_anything_else_keeps_its_traceback() -> None:
    assert _failed_start(RuntimeError()) == [{"type": "lifespan.startup.failed", "message": "a traceback"}]


def _failed_start(error: Exception) -> list[Message]:
    async def starlette(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _raise(error)
        except Exception:
            await send({"type": "lifespan.startup.failed", "message": "a traceback"})
            raise

    sent: list[Message] = []
    with pytest.raises(type(error)):
        asyncio.run(PlainStart(starlette)({"type": "lifespan"}, _receive, _collect_in(sent)))
    return sent


def _raise(error: Exception) -> None:
    raise error


async def _receive() -> Message:
    return {"type": "http.request"}


def _collect_in(sent: list[Message]) -> Send:
    async def send(message: Message) -> None:
        sent.append(message)

    return send
