"""The headers that answers carry, as the OpenAPI document declares them."""

from typing import Any

from app.api.refusals import MethodNotAllowed, TooManyRequests
from app.errors import PenchantError

REF = "#/components/headers/{name}"

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Names the request in the server's log: its own X-Request-ID where that is a UUID of version 4.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "What is granted to the key, or the address: q requests in w seconds.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"default";q=[0-9]+;w=[0-9]+$'},
    },
    "RateLimit": {
        "description": "r requests are left of them; in t seconds there is room again.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"default";r=[0-9]+;t=[0-9]+$'},
    },
    "Retry-After": {
        "description": "Seconds to wait before the same is asked again. Not there where waiting mends nothing.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "The header in which a key is awaited.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Allow": {
        "description": "The methods that are served here, with commas between them.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "no-store: what is told of a user is kept by nobody on the way.",
        "required": True,
        "schema": {"type": "string", "const": "no-store"},
    },
    "Content-Disposition": {
        "description": "The name under which a browser saves the lines.",
        "required": True,
        "schema": {"type": "string"},
    },
}
"""Besides these, every answer carries what tells a browser to be careful (`app.api.edge.SECURITY_HEADERS`)."""


def carries(*names: str) -> dict[str, Any]:
    """What a response says in the document that carries these headers."""
    return {"headers": {name: {"$ref": REF.format(name=name)} for name in names}}


def headers_of(status: int, kinds: list[type[PenchantError]], *, rate_limited: bool) -> list[str]:
    """Names of the headers that any answer of this status carries.

    kinds: the errors behind it. rate_limited: whether the path is. A request that came too slowly was never counted,
    and where we crashed the count is lost.
    """
    names = ["X-Request-ID"]
    if rate_limited and status not in {408, 500}:
        names += ["RateLimit-Policy", "RateLimit"]
    if status == TooManyRequests.status or any(kind.retry_after_s for kind in kinds):
        names.append("Retry-After")
    if any(kind.challenge for kind in kinds):
        names.append("WWW-Authenticate")
    if status == MethodNotAllowed.status:
        names.append("Allow")
    return names
