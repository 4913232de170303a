"""API keys: those that read and write, and one that administers. Who offers which is told here and nowhere else."""

import hmac
from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from app.api.refusals import KeyRefused, KeyTooNarrow
from app.settings import Settings

HEADER = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="A key of the setting api_key, or admin_api_key where it takes one."
)
BEARER = HTTPBearer(auto_error=False, description="The same key, for clients that know no other header: Prometheus.")

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ADMIN_ROUTES = (
    ("/v1/bundles", WRITES | {"GET"}),
    ("/v1/experiments", WRITES | {"GET"}),
    ("/v1/placements", WRITES),
    ("/v1/users/", frozenset({"DELETE"})),
)
"""What an admin key alone opens, once there is one: what changes everybody's slates, and what cannot be undone."""


class Scope(IntEnum):
    """What a key opens. A larger one opens what a smaller one does."""

    READ_WRITE = 1
    ADMIN = 2


class Keys:
    """The keys of the settings. Compared in constant time: how long a refusal takes tells nothing of how much of a
    key was right."""

    def __init__(self, settings: Settings) -> None:
        admin = settings.admin_api_key.get_secret_value().encode()
        common = [key.strip() for key in settings.api_key.get_secret_value().encode().split(b",")]
        self._known = [(f"key {n}", key, Scope.READ_WRITE) for n, key in enumerate(common, 1) if key]
        self.has_admin = bool(admin)
        self._everything_open_without = not self._known
        if admin:
            self._known.append(("admin key", admin, Scope.ADMIN))

    @property
    def asked_for(self) -> bool:
        """Whether any route asks for a key."""
        return bool(self._known)

    def find(self, offered: str | None) -> tuple[str, Scope] | None:
        """Name and scope of an offered key; None where it is none of ours."""
        told = (offered or "").encode()
        matches = [(name, scope) for name, key, scope in self._known if hmac.compare_digest(told, key)]
        return matches[-1] if matches else None

    def check(self, offered: str | None, needed: Scope) -> None:
        """Raises KeyRefused and KeyTooNarrow. Without an admin key the others open everything."""
        if needed is Scope.ADMIN and not self.has_admin:
            needed = Scope.READ_WRITE
        if needed is Scope.READ_WRITE and self._everything_open_without:
            return
        found = self.find(offered)
        if found is None:
            raise KeyRefused("send the server's API key in the header X-API-Key")
        if found[1] < needed:
            raise KeyTooNarrow("this wants the key of the setting admin_api_key; the one sent reads and writes only")


def needed_scope(method: str, template: str) -> Scope:
    """template: the route's path, such as /v1/users/{user_id:path}."""
    admin = any(template.startswith(prefix) and method in methods for prefix, methods in ADMIN_ROUTES)
    return Scope.ADMIN if admin else Scope.READ_WRITE


def key_guard(keys: Keys) -> Sequence[Any]:
    """Dependencies for routers to guard: none where no key is set."""
    if not keys.asked_for:
        return ()

    async def require_key(
        request: Request,
        header: Annotated[str | None, Security(HEADER)] = None,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)] = None,
    ) -> None:
        offered = bearer.credentials if header is None and bearer is not None else header
        keys.check(offered, needed_scope(request.method, request.scope["route"].path))

    return (Depends(require_key),)
