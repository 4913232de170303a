"""The examples of the OpenAPI document as the calls they stand for, in an order in which they work."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ORDER = [
    *("live", "ready", "healthy", "read_metrics", "list_problem_types", "get_problem_type", "list_event_types"),
    *(
        "put_item",
        "get_item",
        "patch_item",
        "put_property_schema",
        "get_property_schema",
        "import_items",
        "get_import",
        "export_items",
    ),
    *(
        "recommend",
        "recommend_next",
        "recommend_batch",
        "rank",
        "search",
        "explain_place",
        "record_events",
        "list_similar_items",
        "list_similar_users",
    ),
    *("get_interests", "edit_interests", "list_popular", "list_trending", "list_fresh", "read_map"),
    *("create_placement", "put_placement", "get_placement", "list_placement_versions", "list_placements"),
    *(
        "list_bundles",
        "get_bundle",
        "verify_bundle",
        "shadow_bundle",
        "get_shadow_report",
        "activate_bundle",
        "roll_back_bundle",
    ),
    *(
        "create_experiment",
        "put_experiment",
        "get_experiment",
        "get_experiment_results",
        "list_experiments",
        "read_online_metrics",
    ),
    *("merge_user", "export_user", "delete_experiment", "delete_placement", "delete_item", "erase_user"),
]
"""Every operation: what is read or changed was made before it, and what is deleted comes last."""


@dataclass(frozen=True)
class Call:
    """One example of an operation. name: the example's, "answer" where the operation takes none."""

    operation: dict[str, Any]
    name: str
    method: str
    path: str
    headers: dict[str, str]
    content: str | None
    params: dict[str, Any]


def calls(document: dict[str, Any], known: dict[str, str]) -> Iterator[Call]:
    """known: values of path parameters that only a running server can tell; the caller adds to it as it learns more."""
    operations = {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert sorted(ORDER) == sorted(operations)
    for operation_id in ORDER:
        method, path, operation = operations[operation_id]
        for name, media_type, body in _bodies(operation):
            examples = _parameter_examples(operation)
            yield Call(
                operation,
                name,
                method,
                path.format_map(examples["path"] | known),
                {} if media_type is None else {"content-type": media_type},
                body if body is None or isinstance(body, str) else json.dumps(body),
                examples["query"],
            )


def _bodies(operation: dict[str, Any]) -> Iterator[tuple[str, str | None, Any]]:
    content = operation.get("requestBody", {}).get("content")
    if content is None:
        yield "answer", None, None
        return
    for media_type, told in content.items():
        for name, example in told.get("examples", {}).items():
            yield name, media_type, example["value"]
        if "example" in told:
            yield "answer", media_type, told["example"]


def _parameter_examples(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The last example of each parameter that has any."""
    told: dict[str, dict[str, Any]] = {"path": {}, "query": {}}
    for parameter in operation.get("parameters", ()):
        for example in parameter.get("examples", {}).values():
            if "value" in example:  # else it is to leave the parameter out
                told[parameter["in"]][parameter["name"]] = example["value"]
    return told
