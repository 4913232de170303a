from datetime import UTC, datetime

import numpy as np
import pytest

from app.domain import InterestVectors, UserId
from app.errors import CacheUnavailable
from app.interests.cache import CacheCounts, MemoryInterestCache, TieredInterestCache

pytestmark = pytest.mark.anyio

ADA, BEN, CAT = UserId("ada"), UserId("ben"), UserId("cat")


def vectors(watermark: int) -> InterestVectors:
    return InterestVectors(np.ones((1, 2), np.float32), watermark, datetime(2026, 6, 1, tzinfo=UTC))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class DeadCache(MemoryInterestCache):
    """A far cache that has gone."""

    async def get(self, user_id: UserId, watermark: int | None = None) -> InterestVectors | None:
        raise CacheUnavailable("gone")

    async def put(self, user_id: UserId, vectors: InterestVectors) -> None:
        raise CacheUnavailable("gone")

    async def delete(self, user_id: UserId) -> None:
        raise CacheUnavailable("gone")

    async def ping(self) -> None:
        raise CacheUnavailable("gone")


@pytest.fixture
def near() -> MemoryInterestCache:
    return MemoryInterestCache(max_users=10, ttl_s=60)


@pytest.fixture
def far() -> MemoryInterestCache:
    return MemoryInterestCache(max_users=10, ttl_s=60)


@pytest.fixture
def tiered(near: MemoryInterestCache, far: MemoryInterestCache) -> TieredInterestCache:
    return TieredInterestCache(near, far)


async def test_memory_forgets_the_user_used_longest_ago() -> None:
    cache = MemoryInterestCache(max_users=2, ttl_s=60)
    await cache.put(ADA, vectors(1))
    await cache.put(BEN, vectors(2))
    await cache.get(ADA)

    await cache.put(CAT, vectors(3))

    assert [await cache.get(user) is not None for user in (ADA, BEN, CAT)] == [True, False, True]


async def test_memory_forgets_after_the_time_to_live() -> None:
    clock = Clock()
    cache = MemoryInterestCache(max_users=2, ttl_s=60, clock=clock)
    await cache.put(ADA, vectors(1))

    clock.now = 59.9
    assert await cache.get(ADA) is not None
    clock.now = 60.0
    assert await cache.get(ADA) is None


async def test_a_put_reaches_both_tiers(
    tiered: TieredInterestCache, near: MemoryInterestCache, far: MemoryInterestCache
) -> None:
    await tiered.put(ADA, vectors(1))

    assert await near.get(ADA) is await far.get(ADA) is not None


async def test_the_far_tier_is_not_asked_for_what_the_near_one_holds(
    tiered: TieredInterestCache, far: MemoryInterestCache
) -> None:
    await tiered.put(ADA, vectors(1))

    assert await tiered.get(ADA, watermark=1) is not None
    assert await tiered.get(ADA) is not None
    assert far.counts == {"memory": CacheCounts()}


async def test_what_another_process_has_encoded_is_preferred_to_an_older_vector_here(
    tiered: TieredInterestCache, near: MemoryInterestCache, far: MemoryInterestCache
) -> None:
    await near.put(ADA, vectors(1))
    newer = vectors(2)
    await far.put(ADA, newer)

    assert await tiered.get(ADA, watermark=2) is newer
    assert await near.get(ADA) is newer


async def test_an_older_vector_still_comes_back_when_there_is_no_better_one(
    tiered: TieredInterestCache, near: MemoryInterestCache, far: MemoryInterestCache
) -> None:
    await far.put(ADA, vectors(1))
    mine = vectors(2)
    await near.put(ADA, mine)

    assert await tiered.get(ADA, watermark=3) is mine


async def test_a_far_tier_that_fails_is_told_of_together_with_what_is_near(near: MemoryInterestCache) -> None:
    tiered = TieredInterestCache(near, DeadCache(max_users=10, ttl_s=60))
    mine = vectors(1)

    with pytest.raises(CacheUnavailable):
        await tiered.put(ADA, mine)

    assert await tiered.get(ADA, watermark=1) is mine
    with pytest.raises(CacheUnavailable) as unavailable:
        await tiered.get(ADA, watermark=2)
    assert unavailable.value.nearest is mine
    with pytest.raises(CacheUnavailable):
        await tiered.ping()


async def test_a_user_is_forgotten_here_even_when_the_far_tier_fails(near: MemoryInterestCache) -> None:
    tiered = TieredInterestCache(near, DeadCache(max_users=10, ttl_s=60))
    await near.put(ADA, vectors(1))

    with pytest.raises(CacheUnavailable):
        await tiered.delete(ADA)

    assert await near.get(ADA) is None
