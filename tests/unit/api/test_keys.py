"""The API key: what it guards, what it does not, and that nothing else lets in."""

from collections.abc import Iterator

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings

KEY = "a-key-of-some-length"
OPEN_PATHS = {"/livez", "/readyz", "/healthz", "/problems", "/problems/{slug}"}


@pytest.fixture
def guarded() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(api_key=KEY), FakeResources().open)) as client:
        yield client


def operations(client: TestClient) -> list[tuple[str, str]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


@pytest.mark.parametrize("offered", [None, "", "wrong", KEY[:-1], KEY + "x", KEY.upper(), "\u00e9"])
def test_every_route_but_the_probes_refuses_all_but_the_key(guarded: TestClient, offered: str | None) -> None:
    headers = {} if offered is None else {"X-API-Key": offered.encode()}
    asked = [(method, path) for method, path in operations(guarded) if path not in OPEN_PATHS]

    answers = [guarded.request(m, path.format(item_id="50", user_id="1"), headers=headers) for m, path in asked]

    assert len(asked) >= 7
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"X-API-Key"}
    assert all(answer.json()["type"].endswith("/key-refused") for answer in answers)


def test_the_right_key_lets_in(guarded: TestClient) -> None:
    headers = {"X-API-Key": KEY}
    assert guarded.post("/v1/recommendations", json={"user_id": "1"}, headers=headers).status_code == 200
    assert guarded.get("/metrics", headers=headers).status_code == 200


def test_probes_and_documentation_ask_for_no_key(guarded: TestClient) -> None:
    for path in ("/livez", "/readyz", "/healthz", "/docs", "/openapi.json"):
        assert guarded.get(path).status_code == 200


def test_the_document_says_which_operations_want_the_key(guarded: TestClient) -> None:
    document = guarded.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "X-API-Key"
    assert "security" not in document["paths"]["/livez"]["get"]
    assert "security" in document["paths"]["/v1/events"]["post"]


def test_without_a_key_nothing_asks_for_one() -> None:
    with TestClient(create_app(Settings(), FakeResources().open)) as client:
        assert client.get("/metrics").status_code == 200
        assert "securitySchemes" not in client.get("/openapi.json").json()["components"]
