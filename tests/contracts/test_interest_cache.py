"""What every interest cache promises, run over memory, the two tiers, Valkey, and Debian's Redis."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from app.domain import InterestVectors, UserId
from app.interests.cache import InterestCache, MemoryInterestCache, TieredInterestCache
from app.interests.redis_cache import RedisInterestCache
from app.storage.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.anyio

ADA, BEN = UserId("ada"), UserId("ben")
NOON = datetime(2026, 6, 1, 12, 0, 0, 123_457, tzinfo=UTC)
RNG = np.random.default_rng(7)


def vectors(watermark: int = 1, k: int = 4, d: int = 192, last_event_at: datetime | None = NOON) -> InterestVectors:
    return InterestVectors(RNG.normal(size=(k, d)).astype(np.float32), watermark, NOON, last_event_at)


def assert_same(found: InterestVectors | None, kept: InterestVectors) -> None:
    assert found is not None
    assert found.vectors.dtype == np.float32
    assert found.vectors.shape == kept.vectors.shape
    assert found.vectors.tobytes() == kept.vectors.tobytes()
    assert (found.watermark, found.encoded_at, found.last_event_at) == (
        kept.watermark,
        kept.encoded_at,
        kept.last_event_at,
    )


def find_redis() -> Path:
    if found := shutil.which("redis-server"):
        return Path(found)
    reason = "redis-server is not on the PATH: apt-get install redis-server"
    if os.environ.get("CI") == "true" or os.environ.get("PENCHANT_REQUIRE_REDIS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = EmbeddedValkey(tmp_path_factory.mktemp("redis"), binary=find_redis())
    yield server.start()
    server.stop()


@pytest.fixture(params=["memory", "tiered", "valkey", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[InterestCache]:
    cache = make_cache(request)
    await cache.delete(ADA)
    await cache.delete(BEN)
    yield cache
    await cache.close()


def make_cache(request: pytest.FixtureRequest) -> InterestCache:
    memory = MemoryInterestCache(max_users=100, ttl_s=600)
    if request.param == "memory":
        return memory
    url = request.getfixturevalue("redis_url" if request.param == "redis" else "valkey_url")
    shared = RedisInterestCache.connect(url, "bundle-1", ttl_s=600, timeout_ms=1_000)
    return TieredInterestCache(memory, shared) if request.param == "tiered" else shared


async def test_a_user_never_kept_is_not_found(cache: InterestCache) -> None:
    assert await cache.get(ADA) is None
    assert await cache.get(ADA, watermark=1) is None


async def test_what_was_kept_comes_back_bit_for_bit(cache: InterestCache) -> None:
    kept = vectors()

    await cache.put(ADA, kept)

    assert_same(await cache.get(ADA), kept)
    assert_same(await cache.get(ADA, watermark=kept.watermark), kept)


async def test_a_user_of_whom_nothing_is_known_is_kept_as_such(cache: InterestCache) -> None:
    kept = vectors(watermark=0, k=0, last_event_at=None)

    await cache.put(ADA, kept)

    assert_same(await cache.get(ADA), kept)


async def test_older_vectors_come_back_for_the_caller_to_judge(cache: InterestCache) -> None:
    kept = vectors(watermark=1)
    await cache.put(ADA, kept)

    assert_same(await cache.get(ADA, watermark=2), kept)


async def test_the_last_put_wins(cache: InterestCache) -> None:
    await cache.put(ADA, vectors(watermark=1))
    newer = vectors(watermark=2, k=2)
    await cache.put(ADA, newer)

    assert_same(await cache.get(ADA), newer)


async def test_a_deleted_user_is_not_found_and_the_others_stay(cache: InterestCache) -> None:
    await cache.put(ADA, vectors())
    kept = vectors()
    await cache.put(BEN, kept)

    await cache.delete(ADA)
    await cache.delete(ADA)

    assert await cache.get(ADA) is None
    assert_same(await cache.get(BEN), kept)


@pytest.mark.parametrize("user_id", ["a:b", "a b\r\nFLUSHALL", "{x}", "ü 🎬", "", "x" * 10_000])
async def test_any_user_id_will_do(cache: InterestCache, user_id: str) -> None:
    kept = vectors()

    await cache.put(UserId(user_id), kept)

    assert_same(await cache.get(UserId(user_id)), kept)
    assert await cache.get(ADA) is None


async def test_every_answer_is_counted(cache: InterestCache) -> None:
    nearest = next(iter(cache.counts.values()))

    await cache.get(ADA)
    await cache.put(ADA, vectors(watermark=1))
    await cache.get(ADA, watermark=1)
    await cache.get(ADA, watermark=2)

    assert (nearest.misses, nearest.hits, nearest.stale, nearest.failures) == (1, 1, 1, 0)


async def test_it_answers_a_ping(cache: InterestCache) -> None:
    await cache.ping()
