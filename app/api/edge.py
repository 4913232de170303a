"""The layers between the server and the routes, as plain ASGI: what is true of every answer, whatever it is."""

import sys
from collections.abc import Mapping
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import telemetry
from app.api.problems import show_problem
from app.api.refusals import BodyTooLarge, Unforeseen
from app.console import CONSOLE_PATH
from app.errors import PenchantError

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBES = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
"""Asked every few seconds by machines: counted, but not logged."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

log = structlog.get_logger(__name__)


class Telemetry:
    """Counts, times and logs every request under its route's template."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = perf_counter()
        status = 500  # of an answer that never began

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            self._tell(scope, status, perf_counter() - started)

    def _tell(self, scope: Scope, status: int, took_s: float) -> None:
        route = getattr(scope.get("route"), "path", None) or _pages_of(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"  # a client may invent as many as it likes
        telemetry.count_request(route, method, status, took_s)
        if route not in PROBES:
            log.info("request_served", method=method, route=route, status=status, took_ms=round(took_s * 1_000, 2))


class ExtraHeaders:
    """Adds headers to every answer, or to those of paths that begin with `under`. An outer layer's word is the last."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str], under: str = "") -> None:
        self._app = app
        self._headers = headers
        self._under = under

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").startswith(self._under):
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        return await self._app(scope, receive, send_with_headers)


class SizeGuard:
    """Refuses a body that is announced as too large before a byte of it is read.

    One that only turns out to be is stopped by FastAPI's max_body_size; for an announced one that answers in plain
    text, past every exception handler.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, larger: Mapping[str, int]) -> None:
        """larger: path -> limit, where it is another."""
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._larger.get(scope["path"], self._max_body_bytes) if scope["type"] == "http" else 0
        if scope["type"] == "http" and (announced := _content_length(scope)) > most:
            error = BodyTooLarge(f"{announced} bytes were announced, {most} are the limit.")
            await show_problem(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class LastResort:
    """Answers what nobody foresaw with a problem that gives nothing away, and logs where it came from.

    Inside the other layers, so that this answer is counted and carries its request id like any other.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting_start)
        except Exception:
            log.exception("request_crashed")
            if started:
                raise  # the answer cannot be taken back: the server breaks the connection off
            await show_problem(Unforeseen())(scope, receive, send)


class PlainStart:
    """A start that our own error stops is told in that error's one line, not in a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plainly(message: Message) -> None:
            # Starlette sends this while it handles the error, with the whole traceback as the message.
            error = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(error, PenchantError):
                message = {**message, "message": str(error)}
            await send(message)

        await self._app(scope, receive, send_plainly if scope["type"] == "lifespan" else send)


def _pages_of(scope: Scope) -> str:
    """What to call pages and files that are no routes of ours: only those under /docs have an endpoint."""
    if scope["path"].startswith(CONSOLE_PATH):
        return "console"
    return "documentation" if "endpoint" in scope else "unmatched"


def _content_length(scope: Scope) -> int:
    """0 where it is not given or no number: the server's parser has seen to the rest."""
    told = Headers(scope=scope).get("content-length", "0")
    return int(told) if told.isdecimal() else 0
