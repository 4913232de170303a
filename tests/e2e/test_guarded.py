"""Keys, limits and slow clients, on the real server: two workers that count together in one Redis."""

import socket
import time

import httpx2
import pytest
from server import Server

COMMON, OTHER, ADMIN = "shop-key", "app-key", "ops-key"
GRANTED = 40
RECEIVE_S = 2

pytestmark = pytest.mark.served(
    api_key=f"{COMMON},{OTHER}", admin_api_key=ADMIN, rate_limit=f"{GRANTED}/minute", receive_s=RECEIVE_S
)


def ask(server: Server, method: str, path: str, key: str | None, body: object = None) -> httpx2.Response:
    headers = {} if key is None else {"X-API-Key": key}
    return server.fetch(method, path, json=body, headers=headers)


def test_each_route_wants_the_key_it_should(server: Server) -> None:
    slate = ("POST", "/v1/recommendations")
    assert [ask(server, *slate, key, {"k": 1}).status_code for key in (None, "wrong", ADMIN)] == [401, 401, 200]
    assert [ask(server, "GET", "/v1/bundles", key).status_code for key in (None, OTHER, ADMIN)] == [401, 403, 200]
    assert [ask(server, "GET", path, None).status_code for path in ("/livez", "/readyz", "/docs")] == [200] * 3


def test_what_is_granted_to_a_key_is_counted_over_both_workers(server: Server) -> None:
    answers = [ask(server, "POST", "/v1/recommendations", COMMON, {"k": 1}) for _ in range(GRANTED + 5)]
    refused = answers[-1]
    assert [answer.status_code for answer in answers] == [200] * GRANTED + [429] * 5
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == f'"default";q={GRANTED};w=60'
    assert refused.json()["type"].endswith("/too-many-requests")
    assert ask(server, "POST", "/v1/recommendations", ADMIN, {"k": 1}).status_code == 200


def test_two_hundred_half_sent_requests_are_cut_off_and_the_server_answers_meanwhile(server: Server) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(200)]
    try:
        for n, connection in enumerate(slow):
            connection.sendall(b"POST /v1/recommendations HTTP/1.1\r\nhost: te" if n % 2 else b"GET /livez HTT")
        started = time.monotonic()
        assert ask(server, "GET", "/livez", None).status_code == 200
        cut_off = [connection.recv(1_000) for connection in slow]
        took_s = time.monotonic() - started
    finally:
        for connection in slow:
            connection.close()
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in cut_off)
    assert took_s < RECEIVE_S + 10
