"""API keys: what each opens, what none guards, and that nothing else lets in."""

from collections.abc import Iterator

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.api.keys import Keys, Scope, needed_scope
from app.api.refusals import KeyRefused
from app.main import create_app
from app.settings import Settings

KEY = "a-key-of-some-length"
SECOND = "another-client's-key"
ADMIN = "the-key-of-who-runs-it"
OPEN_PATHS = {"/livez", "/readyz", "/healthz", "/problems", "/problems/{slug}"}
PLACES = {"item_id": "50", "user_id": "1", "slate_id": "s", "name": "n", "version": "0" * 12, "job_id": "j"}


def opened(**settings: str) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(**settings), FakeResources().open)) as client:
        yield client


@pytest.fixture
def guarded() -> Iterator[TestClient]:
    yield from opened(api_key=f"{KEY}, {SECOND}")


@pytest.fixture
def scoped() -> Iterator[TestClient]:
    yield from opened(api_key=KEY, admin_api_key=ADMIN)


def operations(client: TestClient) -> list[tuple[str, str]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [(m.upper(), path) for path, methods in paths.items() for m in methods if path not in OPEN_PATHS]


@pytest.mark.parametrize("offered", [None, "", "wrong", KEY[:-1], KEY + "x", KEY.upper(), f"{KEY}, {SECOND}", "\u00e9"])
def test_every_route_but_the_probes_refuses_all_but_the_keys(guarded: TestClient, offered: str | None) -> None:
    headers = {} if offered is None else {"X-API-Key": offered.encode()}
    asked = operations(guarded)

    answers = [guarded.request(m, path.format(**PLACES), headers=headers) for m, path in asked]

    assert len(asked) >= 7
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"X-API-Key"}
    assert all(answer.json()["type"].endswith("/key-refused") for answer in answers)


@pytest.mark.parametrize("key", [KEY, SECOND])
def test_each_of_several_keys_lets_in(guarded: TestClient, key: str) -> None:
    headers = {"X-API-Key": key}
    assert guarded.post("/v1/recommendations", json={"user_id": "1"}, headers=headers).status_code == 200
    assert guarded.get("/metrics", headers=headers).status_code == 200


def test_what_administers_wants_the_admin_key_and_says_so(scoped: TestClient) -> None:
    for method, path in operations(scoped):
        answer = scoped.request(method, path.format(**PLACES), headers={"X-API-Key": KEY})
        if needed_scope(method, path) is Scope.ADMIN:
            assert answer.status_code == 403, (method, path)
            assert answer.json()["type"].endswith("/key-too-narrow")
        else:
            assert answer.status_code not in {401, 403}, (method, path)


def test_the_admin_key_opens_everything(scoped: TestClient) -> None:
    headers = {"X-API-Key": ADMIN}
    answers = [scoped.request(method, path.format(**PLACES), headers=headers) for method, path in operations(scoped)]
    assert not {answer.status_code for answer in answers} & {401, 403}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/bundles/{version}:activate", Scope.ADMIN),
        ("GET", "/v1/bundles", Scope.ADMIN),
        ("GET", "/v1/experiments/{name}", Scope.ADMIN),
        ("PUT", "/v1/placements/{name}", Scope.ADMIN),
        ("GET", "/v1/placements/{name}", Scope.READ_WRITE),
        ("DELETE", "/v1/users/{user_id:path}", Scope.ADMIN),
        ("GET", "/v1/users/{user_id:path}/interests", Scope.READ_WRITE),
        ("DELETE", "/v1/items/{item_id:path}", Scope.READ_WRITE),
        ("POST", "/v1/recommendations", Scope.READ_WRITE),
    ],
)
def test_what_administers(method: str, path: str, scope: Scope) -> None:
    assert needed_scope(method, path) is scope


def test_without_an_admin_key_the_others_administer() -> None:
    Keys(Settings(api_key=KEY)).check(KEY, Scope.ADMIN)
    with pytest.raises(KeyRefused):
        Keys(Settings(api_key=KEY)).check("wrong", Scope.ADMIN)


def test_with_an_admin_key_alone_only_what_administers_is_guarded() -> None:
    keys = Keys(Settings(admin_api_key=ADMIN))
    keys.check(None, Scope.READ_WRITE)
    keys.check(ADMIN, Scope.ADMIN)
    with pytest.raises(KeyRefused):
        keys.check(None, Scope.ADMIN)


def test_prometheus_may_send_it_as_a_bearer_token(guarded: TestClient) -> None:
    assert guarded.get("/metrics", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    assert guarded.get("/metrics", headers={"Authorization": f"Bearer {KEY}x"}).status_code == 401
    assert guarded.get("/metrics", headers={"Authorization": f"Basic {KEY}"}).status_code == 401


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
