import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

from app.api.answers import ANSWERS
from app.api.openapi import error_kinds
from app.main import create_app
from app.settings import Settings

OPERATIONS = {
    "recommend": ("post", "/v1/recommendations"),
    "record_events": ("post", "/v1/events"),
    "list_event_types": ("get", "/v1/events/types"),
    "get_item": ("get", "/v1/items/{item_id}"),
    "put_item": ("put", "/v1/items/{item_id}"),
    "patch_item": ("patch", "/v1/items/{item_id}"),
    "import_items": ("post", "/v1/items/import"),
    "get_import": ("get", "/v1/items/import/{job_id}"),
    "export_items": ("get", "/v1/items/export"),
    "get_property_schema": ("get", "/v1/items/schema"),
    "put_property_schema": ("put", "/v1/items/schema"),
    "delete_item": ("delete", "/v1/items/{item_id}"),
    "get_interests": ("get", "/v1/users/{user_id}/interests"),
    "merge_user": ("post", "/v1/users/{user_id}/merge"),
    "export_user": ("get", "/v1/users/{user_id}/export"),
    "erase_user": ("delete", "/v1/users/{user_id}"),
    "recommend_batch": ("post", "/v1/recommendations/batch"),
    "recommend_next": ("get", "/v1/recommendations/next/{slate_id}"),
    "explain_place": ("get", "/v1/slates/{slate_id}/items/{item_id}/explanation"),
    "edit_interests": ("patch", "/v1/users/{user_id}/interests"),
    "rank": ("post", "/v1/rank"),
    "list_bundles": ("get", "/v1/bundles"),
    "get_bundle": ("get", "/v1/bundles/{version}"),
    "verify_bundle": ("post", "/v1/bundles/{version}:verify"),
    "activate_bundle": ("post", "/v1/bundles/{version}:activate"),
    "roll_back_bundle": ("post", "/v1/bundles:rollback"),
    "shadow_bundle": ("post", "/v1/bundles/{version}:shadow"),
    "get_shadow_report": ("get", "/v1/bundles/{version}/shadow"),
    "list_experiments": ("get", "/v1/experiments"),
    "create_experiment": ("post", "/v1/experiments"),
    "get_experiment": ("get", "/v1/experiments/{name}"),
    "put_experiment": ("put", "/v1/experiments/{name}"),
    "delete_experiment": ("delete", "/v1/experiments/{name}"),
    "get_experiment_results": ("get", "/v1/experiments/{name}/results"),
    "read_online_metrics": ("get", "/v1/metrics/online"),
    "read_map": ("get", "/v1/map"),
    "search": ("post", "/v1/search"),
    "list_popular": ("get", "/v1/popular"),
    "list_trending": ("get", "/v1/trending"),
    "list_fresh": ("get", "/v1/fresh"),
    "list_similar_items": ("get", "/v1/items/{item_id}/similar"),
    "list_similar_users": ("get", "/v1/users/{user_id}/similar"),
    "list_placements": ("get", "/v1/placements"),
    "create_placement": ("post", "/v1/placements"),
    "get_placement": ("get", "/v1/placements/{name}"),
    "list_placement_versions": ("get", "/v1/placements/{name}/versions"),
    "put_placement": ("put", "/v1/placements/{name}"),
    "delete_placement": ("delete", "/v1/placements/{name}"),
    "live": ("get", "/livez"),
    "ready": ("get", "/readyz"),
    "healthy": ("get", "/healthz"),
    "read_metrics": ("get", "/metrics"),
    "list_problem_types": ("get", "/problems"),
    "get_problem_type": ("get", "/problems/{slug}"),
}
"""Client libraries are generated from these names: a changed one breaks its callers."""


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def test_operation_ids_are_stable(document: dict[str, Any]) -> None:
    found = {
        operation["operationId"]: (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }

    assert found == OPERATIONS


def test_every_refusal_is_declared_as_a_problem(document: dict[str, Any]) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusals = [
        answer
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    ]

    assert all(refusal["content"] == problem and refusal["description"] for refusal in refusals)
    assert "Problem" in document["components"]["schemas"]


def test_every_operation_says_what_it_does_and_all_it_may_answer(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        sends_body, place = "requestBody" in operation, (method, path)
        expected = {"405", "408", "413", "500"}
        if path.startswith("/v1/"):
            expected |= {"404", "503"} | ({"400", "415"} if sends_body else set())
            expected |= {"422"} if sends_body or operation.get("parameters") else set()
        assert all(operation[told] for told in ("summary", "description", "tags")), place
        assert any(status < "300" for status in operation["responses"]), place
        assert expected <= set(operation["responses"]), place
        assert sends_body or not {"400", "415"} & set(operation["responses"]), place


def test_keys_and_limits_are_declared_where_they_hold_and_nowhere_else(tmp_path: Path) -> None:
    settings = Settings(api_key="one", admin_api_key="two", rate_limit="3/minute", data_dir=tmp_path)
    for path, _, operation in _operations(create_app(settings).openapi()):
        refusals = {"401", "403", "429"} & set(operation["responses"])
        headers = {name for answer in operation["responses"].values() for name in answer["headers"]}
        counted = path.startswith("/v1/")
        assert refusals == ({"401", "403", "429"} if counted else {"401", "403"} if path == "/metrics" else set()), path
        assert bool(operation.get("security")) == bool(refusals), path
        assert ({"RateLimit", "RateLimit-Policy"} <= headers) == counted, path


def test_every_header_is_declared_once_and_described(document: dict[str, Any]) -> None:
    named = {
        header["$ref"].rpartition("/")[2]
        for _, _, operation in _operations(document)
        for answer in operation["responses"].values()
        for header in answer["headers"].values()
    }
    declared = document["components"]["headers"]
    assert named <= set(declared)
    assert all(header["description"] for header in declared.values())


def test_every_answer_in_json_is_shown_by_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for _, _, operation in _operations(document):
        asked = {name for body in _bodies(operation) for name in body.get("examples", ())} or {"answer"}
        for status, content in _json_answers(operation):
            validator = jsonschema_rs.validator_for({**content["schema"], "components": document["components"]})
            assert content["examples"], (operation["operationId"], status)
            for name, example in content["examples"].items():
                assert name in asked, f"{operation['operationId']}: no request example is called {name}"
                validator.validate(example["value"])


def test_an_answer_is_shown_for_every_operation_there_is_and_for_no_other(document: dict[str, Any]) -> None:
    told = {operation["operationId"] for _, _, operation in _operations(document) if list(_json_answers(operation))}
    assert told == set(ANSWERS)


def test_the_slates_that_are_shown_are_as_long_as_asked_and_their_scores_are_sums(document: dict[str, Any]) -> None:
    asked = {answer.to: answer.value for answer in ANSWERS["recommend"]}["known user"]
    page = ANSWERS["recommend_batch"][0].value["slates"]
    others = [ANSWERS[name][0].value for name in ("recommend_next", "rank", "search")]

    bodies = {name: _first_example(document, name) for name in ("recommend", "rank", "search", "recommend_batch")}
    assert [len(slate["items"]) for slate in (asked, *others)] == [
        bodies["recommend"]["k"],
        bodies["recommend"]["k"],
        len(bodies["rank"]["items"]),
        bodies["search"]["k"],
    ]
    assert [len(slate["items"]) for slate in page] == [wish["k"] for wish in bodies["recommend_batch"]["requests"]]
    shown = [item["item_id"] for slate in page for item in slate["items"]]
    assert len(set(shown)) == len(shown)
    for slate in (asked, *page, *others):
        scores = [place["score"] for place in slate["items"]]
        assert scores == sorted(scores, reverse=True)
        assert scores == pytest.approx([sum(place["parts"].values()) for place in slate["items"]])


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    undescribed = [
        (method, path, parameter["name"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    assert undescribed == []


def test_every_field_is_described_in_more_than_its_own_name(document: dict[str, Any]) -> None:
    undescribed = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, told in schema.get("properties", {}).items()
        if not _words(told.get("description", "")) - _words(field) - {"a", "an", "the", "of", "its", "is", "this"}
    ]
    assert undescribed == []


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_loads_nothing_from_elsewhere(client: TestClient, page: str) -> None:
    html = client.get(page).text
    assets = re.findall(r'(?:src|href|spec-url)="([^"]+)"', html)

    assert assets
    assert "http" not in html.replace("displayRequestDuration", "")
    assert all(client.get(asset).status_code == 200 for asset in assets)


def _words(text: str) -> set[str]:
    return set(re.findall("[a-z0-9]+", text.lower().replace("_", " ")))


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _bodies(operation: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return operation.get("requestBody", {}).get("content", {}).values()


def _json_answers(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, answer in operation["responses"].items():
        if status < "300" and "application/json" in answer.get("content", {}):
            yield status, answer["content"]["application/json"]


def _first_example(document: dict[str, Any], operation_id: str) -> Any:
    method, path = OPERATIONS[operation_id]
    (body,) = _bodies(document["paths"][path][method])
    return next(iter(body["examples"].values()))["value"]


def test_what_may_be_refused_is_known_before_the_rooms_are_built() -> None:
    """Else the document would tell another thing after the first request than before it."""
    importlib.import_module("app.wiring")
    ours = {kind.__module__ for kind in error_kinds() if kind.__module__.startswith("app.")}
    assert ours == {"app.errors", "app.api.refusals"}
