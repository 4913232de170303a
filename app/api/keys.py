"""The API key: one setting turns it on, every route but the probes and the documentation asks for it."""

import hmac
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader

from app.api.refusals import KeyRefused
from app.settings import Settings

HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="The key of the setting api_key.")


def key_guard(settings: Settings) -> Sequence[Any]:
    """Dependencies for routers to guard: none where no key is set."""
    expected = settings.api_key.get_secret_value().encode()
    if not expected:
        return ()

    async def require_key(offered: Annotated[str | None, Security(HEADER)] = None) -> None:
        # Compared in constant time: how long a refusal takes must not tell how much of the key was right.
        if offered is None or not hmac.compare_digest(offered.encode(), expected):
            raise KeyRefused("send the server's API key in the header X-API-Key")

    return (Depends(require_key),)
