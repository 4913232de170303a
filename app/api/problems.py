"""Every refusal as an RFC 9457 problem: a stable `type`, and never a word of what the client sent as a value, but for
the few characters of a filter around the one that cannot be read.

The tree of errors becomes answers here, and so do FastAPI's and Starlette's own refusals, by way of the tree.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.routing import Match

from app.api.refusals import (
    BodyTooLarge,
    MalformedBody,
    MethodNotAllowed,
    NoSuchRoute,
    Unforeseen,
    UnsupportedMediaType,
)
from app.api.schemas.fields import INVALID_FILTER, KIND, Wire
from app.errors import InvalidFilter, InvalidRequest, Overloaded, PenchantError

MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 20
LONGEST_FIELD_NAME = 64

log = structlog.get_logger(__name__)


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    location: str = Field(description="Where, as far as the names are ours: body.history.0.type")
    message: str = Field(description="What is wrong there, or what was expected.")
    position: int | None = Field(None, description="Of a filter: its first character that does not fit, from 0.")
    excerpt: str | None = Field(None, description="Of a filter: what is around that character.")
    expected: str | None = Field(None, description="Of a filter: what may stand there.")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Stable for this kind of problem. GET it for what to do.")
    title: str = Field(description="The same for every problem of this type.")
    status: int = Field(description="The HTTP status of this answer, 400 to 599.")
    detail: str = Field(description="What went wrong this time.")
    request_id: str | None = Field(description="Also the header X-Request-ID; the server's log lines carry it.")
    errors: list[Fault] | None = Field(None, description=f"What is wrong, up to {MOST_FAULTS} things.")


def install_problems(app: FastAPI) -> None:
    """Answer each kind of refusal with a problem. What nobody foresaw is caught in `app.api.edge`."""
    app.exception_handler(PenchantError)(_answer_error)
    app.exception_handler(TimeoutError)(_answer_timeout)
    app.exception_handler(HTTPException)(_answer_http_exception)
    app.exception_handler(RequestValidationError)(_answer_invalid)


def problem_type(kind: type[PenchantError]) -> str:
    return f"/problems/{kind.slug}"


def show_problem(
    error: PenchantError, headers: Mapping[str, str] | None = None, faults: Sequence[Fault] | None = None
) -> Response:
    """The problem of one error. What a 5xx has to say goes to the log only: it speaks of files and machines."""
    answer_headers = dict(headers or {})
    if error.retry_after_s is not None:
        answer_headers["Retry-After"] = str(error.retry_after_s)
    if error.challenge is not None:
        answer_headers["WWW-Authenticate"] = error.challenge
    problem = Problem(
        type=problem_type(type(error)),
        title=error.title,
        status=error.status,
        detail=_tell_client(error),
        request_id=correlation_id.get(),
        errors=None if faults is None else list(faults),
    )
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, error.status, answer_headers, media_type=MEDIA_TYPE)


def _tell_client(error: PenchantError) -> str:
    if error.status < 500:
        return str(error)
    if error.retry_after_s is not None:
        return f"Try again in {error.retry_after_s} s. The server's log says more, under this request id."
    return "The server's log says more, under this request id."


async def _answer_error(_request: Request, error: PenchantError) -> Response:
    if error.status >= 500:
        log.warning("request_failed", problem=error.slug, reason=str(error))
    return show_problem(error, faults=[_fault_of(error)] if isinstance(error, InvalidFilter) else None)


async def _answer_timeout(request: Request, _error: Exception) -> Response:
    return await _answer_error(request, Overloaded("a stage did not finish within its budget"))


async def _answer_http_exception(request: Request, error: HTTPException) -> Response:
    match error.status_code:
        case 400:
            return show_problem(MalformedBody("The body could not be read: send JSON, in UTF-8, not nested deeply."))
        case 404:
            return show_problem(NoSuchRoute("Look at /docs for what is served, and at the spelling of the path."))
        case 405:
            allowed = ", ".join(sorted(_methods_at(request)))
            return show_problem(MethodNotAllowed(f"This path serves {allowed}."), {"Allow": allowed})
        case 413:
            most = request.scope.get(MAX_BODY_SIZE_SCOPE_KEY)
            return show_problem(BodyTooLarge(f"The body went on past {most} bytes, which are the limit."))
        case status:
            return await _answer_error(request, Unforeseen(f"an HTTPException of status {status}"))


async def _answer_invalid(_request: Request, error: RequestValidationError) -> Response:
    if isinstance(error.body, bytes):  # FastAPI leaves a body unparsed when its content type is not JSON
        return show_problem(UnsupportedMediaType("Send the body with the header Content-Type: application/json."))
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return show_problem(MalformedBody(f"{first['ctx']['error']}, at character {first['loc'][-1]}."))
    faults = _read_faults(error.errors())
    detail = f"{faults[0].location}: {faults[0].message}"
    if all(each["type"] == INVALID_FILTER for each in error.errors()):
        return show_problem(InvalidFilter(detail), faults=faults)
    return show_problem(InvalidRequest(detail), faults=faults)


def _methods_at(request: Request) -> Iterator[str]:
    """Methods of every route at the request's path: each route by itself knows only of its own."""
    for route in iter_route_contexts(request.app.routes):
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            yield from route.methods or ()


def _read_faults(errors: Sequence[Any]) -> list[Fault]:
    """One fault a place: the branches of a union each complain, and together they say what is expected."""
    messages: dict[str, dict[str, None]] = {}
    filters: dict[str, Mapping[str, Any]] = {}
    for error in errors:
        place = _location(error["loc"])
        messages.setdefault(place, {})[_message(error)] = None
        if error["type"] == INVALID_FILTER:
            filters[place] = {name: error["ctx"][name] for name in ("position", "excerpt", "expected")}
    faults = [Fault(location=at, message=", or: ".join(told), **filters.get(at, {})) for at, told in messages.items()]
    return faults[:MOST_FAULTS]


def _fault_of(error: InvalidFilter) -> Fault:
    """One that only turned out to be unreadable behind the HTTP layer."""
    told = {"position": error.position, "excerpt": error.excerpt, "expected": error.expected}
    return Fault.model_validate({"location": "body", "message": str(error), **told})


def _location(loc: Sequence[str | int]) -> str:
    """The path down to the first name that is not ours: names of unknown fields, and of properties, are input too."""
    ours: list[str] = []
    for part in loc:
        if isinstance(part, str) and part.startswith(KIND):
            continue
        if isinstance(part, str) and part not in _field_names():
            break
        ours.append(str(part))
    return ".".join(ours)


def _message(error: Any) -> str:
    if error["type"] != "extra_forbidden":
        return str(error["msg"])
    name = str(error["loc"][-1])[:LONGEST_FIELD_NAME]
    if name in _field_names():
        return "This field does not belong here"
    near = get_close_matches(name, _field_names(), n=1)
    return "There is a field here that nobody knows" + (f": is {near[0]!r} meant?" if near else "")


@cache
def _field_names() -> frozenset[str]:
    return frozenset({"body", "path"}.union(*(shape.model_fields for shape in _below(Wire))))


def _below(base: type[Wire]) -> Iterator[type[Wire]]:
    for shape in base.__subclasses__():
        yield shape
        yield from _below(shape)
