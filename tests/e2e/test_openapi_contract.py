"""The OpenAPI document against the real server, keys and limits and all: whatever it shows runs, whatever it allows is
answered as it says, whatever it forbids is refused, and what it declares is sent."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import jsonschema_rs
import pytest
import requests
import schemathesis
from film_catalogue import prepare
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from openapi_calls import Call, calls
from schemathesis.config import SchemathesisConfig
from server import Server, wait_until

from app.api.edge import SECURITY_HEADERS
from app.main import create_app
from app.offline.workshop import Models
from app.settings import Settings

KEY = {"X-API-Key": "ops-key"}
KEYS = {"api_key": "shop-key", "admin_api_key": KEY["X-API-Key"], "rate_limit": "1000000/minute"}
OF_THE_PROTOCOL = {"date", "content-type", "content-length", "transfer-encoding", "connection"}
OPEN_MAPS = (" properties", " evidence", " files", " metrics", " change", " misfits", " pins", " caps", " sources")
"""Objects whose names are the data's own."""

# That a time lies from 1970 to a day from now is beyond what a schema can say.
PAST_TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2025, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
schemathesis.openapi.format("date-time", PAST_TIMES.map(datetime.isoformat))
# Nor can it say what a filter is.
FILTERS = st.sampled_from(["year >= 1990", 'categories has "Comedy"', "not exists(a) or available()"])
schemathesis.openapi.format("filter", FILTERS)


@schemathesis.serializer("application/jsonl")
def lines(_context: Any, value: Any) -> bytes:
    """Whatever stands for a body of lines, as text; of nothing at all, a line that is no item."""
    return str(value).encode(errors="replace").strip() or b"-"


# A body that breaks the schema by its length may be refused for its length.
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
KNOWN = create_app(Settings(**KEYS)).openapi()  # before a server runs: each operation is a test of its own
# Their bodies are made of those of another operation, whose bounds are all tried: here a few at random will do.
ALIKE = [{"include-operation-id": name} for name in ("recommend_batch", "put_placement", "put_experiment")]
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}},
        "operations": [{**alike, "phases": {"coverage": {"enabled": False}}} for alike in ALIKE],
    }
)
contract = schemathesis.openapi.from_dict(KNOWN, config=CONFIG)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_models: Models) -> Iterator[Server]:
    bundle, data_dir = prepare(tmp_path_factory.mktemp("contract"), tiny_models)
    with Server(bundle, data_dir, **KEYS) as running:
        yield running


@pytest.fixture(scope="module")
def document(server: Server) -> Any:
    return server.ask("GET", "/openapi.json")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection: thousands of requests are asked here."""
    with requests.Session() as session:
        yield session


def test_every_example_of_the_document_runs_and_is_answered_in_the_shape_shown(
    server: Server, document: dict[str, Any]
) -> None:
    with httpx2.Client(base_url=server.url, headers=KEY, timeout=30) as client:
        bundles = client.get("/v1/bundles").json()["bundles"]
        (spare,) = (bundle["version"] for bundle in bundles if not bundle["active"])
        known = {"slug": "unknown-item", "version": spare, "slate_id": "", "job_id": ""}
        for call in calls(document, known):
            answer = client.request(
                call.method, call.path, headers=call.headers, content=call.content, params=call.params
            )
            place = f"{call.operation['operationId']}, {call.name}"
            declared = call.operation["responses"].get(str(answer.status_code))
            assert answer.status_code < 300, f"{place}: {answer.text}"
            assert declared is not None, f"{place}: {answer.status_code}"
            assert _undeclared(answer, declared) == set(), place
            assert {name.lower() for name in declared["headers"]} <= set(answer.headers), place
            if "application/json" in declared.get("content", {}):
                _check_shape(document, call, declared["content"]["application/json"], answer.json())
                _learn(known, call, answer.json())
            if call.operation["operationId"] == "import_items":
                where = f"{call.path}/{known['job_id']}"
                wait_until(lambda where=where: client.get(where).json()["state"] == "done", 30)


def test_the_server_answers_the_document_that_is_checked(document: dict[str, Any]) -> None:
    assert document == KNOWN


@pytest.mark.parametrize(
    ("status", "method", "path", "key"),
    [
        (401, "GET", "/v1/popular", None),
        (403, "GET", "/v1/bundles", "shop-key"),
        (404, "GET", "/v1/items/ghost", "shop-key"),
        (405, "DELETE", "/v1/popular", "shop-key"),
        (422, "GET", "/v1/popular?k=0", "shop-key"),
    ],
)
def test_a_refusal_carries_the_headers_it_declares_and_no_other(
    server: Server, document: dict[str, Any], status: int, method: str, path: str, key: str | None
) -> None:
    answer = httpx2.request(method, server.url + path, headers={} if key is None else {"X-API-Key": key}, timeout=30)
    route = {"/v1/items/ghost": "/v1/items/{item_id}"}.get(path, path.partition("?")[0])
    declared = document["paths"][route]["get"]["responses"][str(status)]

    assert answer.status_code == status
    assert {name.lower() for name in declared["headers"]} <= set(answer.headers)
    assert _undeclared(answer, declared) == set()


@contract.parametrize()
@settings(max_examples=5, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_document_and_the_server_agree(server: Server, session: requests.Session, case: schemathesis.Case) -> None:
    """Each header that it declares as required is sent, and a route behind a key refuses who has none."""
    case.call_and_validate(base_url=server.url, headers=KEY, session=session)


def _undeclared(answer: httpx2.Response, declared: dict[str, Any]) -> set[str]:
    known = {name.lower() for name in (*declared["headers"], *SECURITY_HEADERS)}
    return set(answer.headers) - known - OF_THE_PROTOCOL


def _check_shape(document: dict[str, Any], call: Call, told: dict[str, Any], answer: Any) -> None:
    jsonschema_rs.validator_for({**told["schema"], "components": document["components"]}).validate(answer)
    if call.name in told["examples"]:
        _check_names(told["examples"][call.name]["value"], answer, call.path)


def _check_names(shown: Any, answer: Any, place: str) -> None:
    """The objects of both have the same names, as far down as both go; of lists the first is compared."""
    if isinstance(shown, dict) and isinstance(answer, dict) and not place.endswith(OPEN_MAPS):
        assert set(shown) == set(answer), place
        for name, value in shown.items():
            _check_names(value, answer[name], f"{place} {name}")
    elif isinstance(shown, list) and isinstance(answer, list) and shown and answer:
        _check_names(shown[0], answer[0], place)


def _learn(known: dict[str, str], call: Call, answer: Any) -> None:
    if call.operation["operationId"] == "import_items":
        known["job_id"] = answer["job_id"]
    if call.name == "known user" and not known["slate_id"]:
        known["slate_id"] = answer["slate_id"]
