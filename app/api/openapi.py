"""The OpenAPI document and the pages that show it, served without anything from elsewhere."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.models import Example
from fastapi_standalone_docs import StandaloneDocs
from pydantic.json_schema import models_json_schema

from app.api.answer_headers import HEADERS, carries, headers_of
from app.api.answers import ANSWERS
from app.api.problems import MEDIA_TYPE, Problem
from app.api.refusals import MalformedBody, UnsupportedMediaType  # and so all leaves of the tree that it describes
from app.errors import InvalidRequest, PenchantError

Examples = dict[str, Example]
"""Requests to try, by name. They run as they are against the demonstration data."""

REF = "#/components/schemas/{model}"

DESCRIPTION = """
Recommendations from a fine-tuned user encoder: interests, items and words are points of one space, and a score is a
sum that can be read.

Every refusal is an [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem with a stable `type`; every answer
carries `X-Request-ID`. Times without an offset are UTC. Unknown fields are refused.
"""

TAGS = [
    {"name": "recommendations", "description": "Ask for a slate."},
    {"name": "lists", "description": "What is popular, rising or new: the same for all who ask."},
    {"name": "placements", "description": "Named surfaces: length, sources, rules. Changed at run time."},
    {"name": "events", "description": "Tell what users did. The next slate reflects it."},
    {"name": "items", "description": "The catalogue: what is written is in every process within a second."},
    {"name": "users", "description": "What is understood of a user."},
    {"name": "bundles", "description": "What was trained: verified, activated and rolled back under load."},
    {"name": "experiments", "description": "Ways of serving compared on live traffic."},
    {"name": "operations", "description": "For those who run the service."},
]

PATH_PARAMETERS = {
    "item_id": "An item, by your id for it, 1 to 256 characters; `/` and the like are percent-encoded.",
    "user_id": "A user, by your id for them, 1 to 256 characters; `/` and the like are percent-encoded.",
    "slate_id": "A slate, by the id it was answered with.",
    "job_id": "An import, by the id that its start was answered with.",
    "name": "Name of a placement.",
    "slug": "The last part of a problem's `type`.",
}

SWAGGER = {"tryItOutEnabled": True, "displayRequestDuration": True, "validatorUrl": "none"}
"""validatorUrl: without it the page sends the document's address to a service on the internet for a badge."""


def publish(app: FastAPI, *, rate_limited: bool = False) -> None:
    """Serve the documentation pages' assets, and complete the document by what FastAPI cannot know.

    rate_limited: whether requests under /v1/ are counted.
    """
    StandaloneDocs(app)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generate(), rate_limited=rate_limited)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI's own documentation gives


def _complete(document: dict[str, Any], *, rate_limited: bool) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _describe_path_parameters(operation)
            _leave_out_what_cannot_be(operation)
            _declare_headers(operation, rate_limited=rate_limited and path.startswith("/v1/"))
            _show_answers(operation)
    document["components"]["schemas"].update(_problem_schemas())
    document["components"]["headers"] = HEADERS


def _describe_path_parameters(operation: dict[str, Any]) -> None:
    """Those that a route says nothing more of. Raises KeyError for a name that is not in PATH_PARAMETERS."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and "description" not in parameter:
            parameter["description"] = PATH_PARAMETERS[parameter["name"]]


def _leave_out_what_cannot_be(operation: dict[str, Any]) -> None:
    """Refusals of a body where none is read, and of what is not well formed where nothing is sent."""
    if "requestBody" in operation:
        return
    for kind in (MalformedBody, UnsupportedMediaType, *(() if operation.get("parameters") else (InvalidRequest,))):
        operation["responses"].pop(str(kind.status), None)


def _declare_headers(operation: dict[str, Any], *, rate_limited: bool) -> None:
    for status, response in operation["responses"].items():
        names = headers_of(int(status), _kinds_of(int(status)), rate_limited=rate_limited)
        response.setdefault("headers", {}).update(carries(*names)["headers"])


def _show_answers(operation: dict[str, Any]) -> None:
    """Raises KeyError for an operation without an answer to show."""
    told = [content for content in _successes(operation) if "application/json" in content]
    for answer in ANSWERS[operation["operationId"]] if told else ():
        shown = operation["responses"][str(answer.status)]["content"]["application/json"]
        shown.setdefault("examples", {})[answer.to] = {"value": answer.value}


def _successes(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (told.get("content", {}) for status, told in operation["responses"].items() if status < "300")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of these statuses: which problems stand behind each."""
    return {status: _response(status) for status in statuses}


def error_kinds(base: type[PenchantError] = PenchantError) -> Iterator[type[PenchantError]]:
    """The tree of errors without its root."""
    for kind in base.__subclasses__():
        yield kind
        yield from error_kinds(kind)


def _response(status: int) -> dict[str, Any]:
    return {
        "description": ". ".join(f"{kind.title} (`{kind.slug}`)" for kind in _kinds_of(status)),
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=Problem.__name__)}}},
    }


def _kinds_of(status: int) -> list[type[PenchantError]]:
    return [kind for kind in error_kinds() if kind.status == status]


def _problem_schemas() -> dict[str, Any]:
    _, document = models_json_schema([(Problem, "serialization")], ref_template=REF)
    return dict(document["$defs"])
