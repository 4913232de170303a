"""Refused early: more requests at a time than the server can finish, and more from one client than it was granted.

Both are plain ASGI layers before the routes, so that a refusal costs next to nothing. Probes pass.
"""

import math
import time
from collections.abc import Mapping

import structlog
from limits import parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app import telemetry
from app.api.edge import PROBES, ExtraHeaders
from app.api.keys import Keys
from app.api.problems import show_problem
from app.api.refusals import TooManyRequests
from app.errors import Overloaded
from app.settings import Settings
from app.storage.circuit_breaker import CircuitBreaker

log = structlog.get_logger(__name__)


class InFlight:
    """Answers 503 at once while `most` requests are in progress: one more would only make all of them late."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            return await self._app(scope, receive, send)
        if self._now >= self._most:
            telemetry.count_refusal("in_flight")
            return await show_problem(Overloaded(f"{self._most} requests are in progress"))(scope, receive, send)
        self._now += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._now -= 1


class RateLimits:
    """So many requests in so much time for each key, or for each address where no key is asked for.

    Counted in Redis for all processes together; while Redis is down each process counts for itself, so a lost Redis
    neither lets everybody through nor nobody. Answers carry the headers of draft-ietf-httpapi-ratelimit-headers.
    """

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys) -> None:
        self._app = app
        self._keys = keys
        self._limit = parse(settings.rate_limit)
        self._near = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._breaker = CircuitBreaker()
        self._far: SlidingWindowCounterRateLimiter | None = None
        if (storage := _redis_storage(settings)) is not None:
            self._far = SlidingWindowCounterRateLimiter(storage)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        allowed, left, reset_s = await self._count(self._name(scope))
        headers = self._headers(left, reset_s)
        if allowed:
            await ExtraHeaders(self._app, headers)(scope, receive, send)
            return
        telemetry.count_refusal("rate_limit")
        error = TooManyRequests(f"{self._limit} are granted to you: the next is answered in {reset_s} s")
        await show_problem(error, {**headers, "Retry-After": str(reset_s)})(scope, receive, send)

    def _name(self, scope: Scope) -> str:
        """Who is counted. A key that is none of ours counts for its address: guessing is limited too."""
        found = self._keys.find(Headers(scope=scope).get("x-api-key"))
        client = scope.get("client")
        return found[0] if found else f"address {client[0] if client else 'unknown'}"

    async def _count(self, who: str) -> tuple[bool, int, int]:
        """Whether one more is allowed, how many are left after it, seconds until there is room again."""
        if self._far is not None and self._breaker.allows():
            try:
                counted = await self._count_in(self._far, who)
            except Exception as error:  # whatever Redis or its client does, the request is answered
                self._breaker.failed()
                log.warning("rate_limits_counted_here", reason=str(error))
            else:
                self._breaker.succeeded()
                return counted
        return await self._count_in(self._near, who)

    async def _count_in(self, limiter: SlidingWindowCounterRateLimiter, who: str) -> tuple[bool, int, int]:
        allowed = await limiter.hit(self._limit, who)
        stats = await limiter.get_window_stats(self._limit, who)
        return allowed, int(stats.remaining), max(1, math.ceil(stats.reset_time - time.time()))

    def _headers(self, left: int, reset_s: int) -> Mapping[str, str]:
        return {
            "RateLimit-Policy": f'"default";q={self._limit.amount};w={self._limit.get_expiry()}',
            "RateLimit": f'"default";r={left};t={reset_s}',
        }


def _redis_storage(settings: Settings) -> Storage | None:
    """None where the settings name no Redis: each process then counts for itself."""
    url, timeout_s = settings.redis_url, settings.redis_timeout_ms / 1_000
    if url.startswith("unix://"):
        url = f"redis+{url}"
    if not url.startswith("redis"):
        return None
    return RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix="penchant:rate",
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # passed on to redis-py; the default, 10 retries, hangs for a minute
    )
