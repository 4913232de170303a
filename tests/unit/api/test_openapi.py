import re
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

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


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/v1/recommendations", "post"),
        ("/v1/recommendations/batch", "post"),
        ("/v1/rank", "post"),
        ("/v1/events", "post"),
        ("/v1/items/{item_id}", "put"),
        ("/v1/search", "post"),
        ("/v1/placements", "post"),
        ("/v1/placements/{name}", "put"),
        ("/v1/users/{user_id}/interests", "patch"),
    ],
)
def test_examples_of_bodies_fit_their_schema_and_run(
    client: TestClient, document: dict[str, Any], path: str, method: str
) -> None:
    content = document["paths"][path][method]["requestBody"]["content"]["application/json"]
    validator = jsonschema_rs.validator_for({**content["schema"], "components": document["components"]})

    assert content["examples"]
    for example in content["examples"].values():
        validator.validate(example["value"])
        answer = client.request(
            method, path.format(item_id="night-train", name="home", user_id="ada"), json=example["value"]
        )
        assert answer.status_code in {200, 201}, answer.text


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_loads_nothing_from_elsewhere(client: TestClient, page: str) -> None:
    html = client.get(page).text
    assets = re.findall(r'(?:src|href|spec-url)="([^"]+)"', html)

    assert assets
    assert "http" not in html.replace("displayRequestDuration", "")
    assert all(client.get(asset).status_code == 200 for asset in assets)


def _words(text: str) -> set[str]:
    return set(re.findall("[a-z0-9]+", text.lower().replace("_", " ")))
