import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from redis import Redis

from app.domain import InterestVectors, UserId
from app.errors import CacheUnavailable, SettingsError
from app.interests.cache import CacheCounts
from app.interests.redis_cache import MAX_CONNECTIONS, RedisInterestCache
from app.storage.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.anyio

ADA = UserId("ada@example.org")
VECTORS = InterestVectors(np.ones((1, 2), np.float32), 1, datetime(2026, 6, 1, tzinfo=UTC))
TIMEOUT_MS = 250
TTL_S = 600


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    valkey = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    valkey.start()
    yield valkey
    valkey.stop()


@pytest.fixture
def server(valkey: EmbeddedValkey) -> Iterator[Redis]:
    """A plain client of the same, empty server: what is really in it, and ways to make it suffer."""
    with Redis.from_url(valkey.url) as server:
        server.flushall()
        yield server


@pytest.fixture
async def cache(valkey: EmbeddedValkey, server: Redis) -> AsyncIterator[RedisInterestCache]:
    cache = connect(valkey.url)
    yield cache
    await cache.close()


def connect(url: str, bundle_version: str = "bundle-1") -> RedisInterestCache:
    return RedisInterestCache.connect(url, bundle_version, ttl_s=TTL_S, timeout_ms=TIMEOUT_MS)


@contextmanager
def frozen(valkey: EmbeddedValkey) -> Iterator[None]:
    """A server that accepts connections and never answers."""
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


async def seconds_of(call: Callable[[], Awaitable[object]]) -> float:
    began = time.monotonic()
    with pytest.raises(CacheUnavailable):
        await call()
    return time.monotonic() - began


async def answers_within(cache: RedisInterestCache, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            await cache.ping()
        except CacheUnavailable:
            await asyncio.sleep(0.02)
        else:
            return True
    return False


async def test_a_key_has_a_time_to_live_and_does_not_tell_who_it_is_of(
    cache: RedisInterestCache, server: Redis
) -> None:
    await cache.put(ADA, VECTORS)

    (key,) = server.keys()
    assert re.fullmatch(r"b.penchant:uv:bundle-1:\{[0-9a-f]{32}\}.", str(key))
    assert 0 < server.ttl(key) <= TTL_S


async def test_another_bundle_does_not_see_these_vectors(cache: RedisInterestCache, valkey: EmbeddedValkey) -> None:
    await cache.put(ADA, VECTORS)
    other = connect(valkey.url, "bundle-2")

    assert await other.get(ADA) is None
    await other.close()


async def test_another_process_sees_them(cache: RedisInterestCache, valkey: EmbeddedValkey) -> None:
    await cache.put(ADA, VECTORS)
    other = connect(valkey.url)

    found = await other.get(ADA)

    assert found is not None
    assert found.vectors.tolist() == [[1, 1]]
    await other.close()


async def test_a_damaged_value_counts_as_not_there(cache: RedisInterestCache, server: Redis) -> None:
    await cache.put(ADA, VECTORS)
    (key,) = server.keys()
    server.setrange(key, 40, b"\xff")

    assert await cache.get(ADA) is None
    assert cache.counts == {"redis": CacheCounts(misses=1)}


async def test_a_key_of_another_type_counts_as_not_there_and_is_replaced(
    cache: RedisInterestCache, server: Redis
) -> None:
    await cache.put(ADA, VECTORS)
    (key,) = server.keys()
    server.delete(key)
    server.rpush(key, "a list")

    assert await cache.get(ADA) is None
    await cache.put(ADA, VECTORS)
    assert await cache.get(ADA) is not None


async def test_a_server_that_hangs_costs_one_timeout_and_then_nothing_for_a_second(
    cache: RedisInterestCache, valkey: EmbeddedValkey
) -> None:
    await cache.ping()

    with frozen(valkey):
        first = await seconds_of(lambda: cache.get(ADA))
        second = await seconds_of(lambda: cache.put(ADA, VECTORS))

    assert TIMEOUT_MS / 1_000 <= first < 4 * TIMEOUT_MS / 1_000
    assert second < TIMEOUT_MS / 1_000 / 2
    assert cache.counts["redis"].failures == 2


async def test_many_callers_of_a_hanging_server_wait_together_not_in_turn(
    cache: RedisInterestCache, valkey: EmbeddedValkey
) -> None:
    with frozen(valkey):
        async with asyncio.timeout(5):  # one after the other they would take 50 s
            results = await asyncio.gather(*(cache.get(UserId(str(i))) for i in range(200)), return_exceptions=True)

    assert all(isinstance(result, CacheUnavailable) for result in results)
    assert await answers_within(cache, timeout_s=5)
    await asyncio.gather(*(cache.put(UserId(str(i)), VECTORS) for i in range(MAX_CONNECTIONS)))


async def test_a_server_that_died_and_came_back_is_used_again(
    cache: RedisInterestCache, valkey: EmbeddedValkey
) -> None:
    await cache.ping()
    assert valkey.pid is not None

    os.kill(valkey.pid, signal.SIGKILL)

    assert await answers_within(cache, timeout_s=10)
    await cache.put(ADA, VECTORS)
    assert await cache.get(ADA) is not None


async def test_no_server_at_all_is_told_at_once_and_names_the_socket(tmp_path: Path) -> None:
    cache = connect(f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(CacheUnavailable, match=r"nobody\.sock"):
        await cache.get(ADA)
    await cache.close()


async def test_a_full_server_refuses_writes_and_goes_on_being_read(cache: RedisInterestCache, server: Redis) -> None:
    await cache.put(ADA, VECTORS)
    server.config_set("maxmemory-policy", "noeviction")
    server.config_set("maxmemory", 1)
    try:
        with pytest.raises(CacheUnavailable, match="maxmemory"):
            await cache.put(ADA, VECTORS)
        assert await cache.get(ADA) is not None
    finally:
        server.config_set("maxmemory", 256 * 1024 * 1024)
        server.config_set("maxmemory-policy", "allkeys-lru")


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis://localhost/zero?socket_timeout=soon"])
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="expected redis://host:port/0"):
        connect(url)
