"""Interest vectors in Redis or Valkey, shared by all processes that serve the same bundle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from app.domain import InterestVectors, UserId
from app.errors import CacheUnavailable, SettingsError
from app.interests.cache import CacheCounts
from app.interests.cache_codec import decode_vectors, encode_vectors
from app.storage.circuit_breaker import CircuitBreaker
from app.users.digest import user_digest

MAX_CONNECTIONS = 32


class RedisInterestCache:
    """Every key has a time to live and every call a deadline.

    A Redis that hangs or is gone costs one caller a second its deadline (`CircuitBreaker`); the others hear at once.
    """

    def __init__(self, client: Redis, bundle_version: str, ttl_s: int, timeout_ms: int) -> None:
        self._client = client
        self._prefix = f"penchant:uv:{bundle_version}:"
        self._ttl_s = ttl_s
        self._timeout_s = timeout_ms / 1_000
        self._breaker = CircuitBreaker()
        self._counts = CacheCounts()
        self.counts = {"redis": self._counts}

    @classmethod
    def connect(cls, url: str, bundle_version: str, *, ttl_s: int, timeout_ms: int) -> "RedisInterestCache":
        """url: redis://, rediss:// or unix://. Connects at the first call. Raises SettingsError for another URL."""
        return cls(_client_of(url, timeout_ms / 1_000), bundle_version, ttl_s, timeout_ms)

    async def get(self, user_id: UserId, watermark: int | None = None) -> InterestVectors | None:
        async with self._answering():
            value = await self._read(self._key(user_id))
        found = None if value is None else decode_vectors(value)
        self._counts.count(found, watermark)
        return found

    async def put(self, user_id: UserId, vectors: InterestVectors) -> None:
        async with self._answering():
            await self._client.set(self._key(user_id), encode_vectors(vectors), ex=self._ttl_s)

    async def delete(self, user_id: UserId) -> int:
        """This bundle's entry; those of bundles served before run out with their time to live."""
        async with self._answering():
            return int(await self._client.delete(self._key(user_id)))

    def forget(self, digest: str) -> None:
        """Redis is no memory of this process."""

    async def ping(self) -> None:
        async with self._answering():
            await self._client.ping()

    async def close(self) -> None:
        await self._client.aclose()

    def _key(self, user_id: UserId) -> str:
        """Of a fixed length, whatever the id, and without the id in it. In a cluster the braced part places the key."""
        return f"{self._prefix}{{{user_digest(user_id)}}}"

    async def _read(self, key: str) -> bytes | None:
        try:
            return cast("bytes | None", await self._client.get(key))
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                return None  # a list or a hash of somebody else's: not ours to read, and `put` replaces it
            raise

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """One deadline for the wait in the pool, the connection and the command; any failure as CacheUnavailable."""
        if not self._breaker.allows():
            self._counts.failures += 1
            raise CacheUnavailable("Redis failed less than a second ago: going on without it until it answers")
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            self._counts.failures += 1
            if not isinstance(error, ResponseError):  # a refusal (out of memory, no permission) is an answer
                self._breaker.failed()
            raise CacheUnavailable(_explain(error, self._timeout_s)) from error
        self._breaker.succeeded()


def _client_of(url: str, timeout_s: float) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),  # the default, 10 retries of 5 s, hangs 58 s
        )
    except ValueError as error:
        raise SettingsError(
            f"redis_url cannot be read ({error}): expected redis://host:port/0, rediss://... or unix:///path.sock"
        ) from error
    return Redis.from_pool(pool)


def _explain(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"Redis did not answer within {timeout_s * 1_000:.0f} ms (PENCHANT_REDIS_TIMEOUT_MS)"
    return f"Redis failed: {error}"
