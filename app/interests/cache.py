"""Where a user's interest vectors wait for the next request. All of it can be lost: the history gives it back.

A cache never judges what it holds: `InterestVectors.watermark` says which history it was made of, and the caller
compares it with the history's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from cachetools import TTLCache

from app.domain import InterestVectors, UserId
from app.errors import CacheUnavailable
from app.users.digest import user_digest


@dataclass(slots=True)
class CacheCounts:
    """What one tier answered since the start. stale: found, but not with the watermark asked for."""

    hits: int = 0
    stale: int = 0
    misses: int = 0
    failures: int = 0

    def count(self, found: InterestVectors | None, watermark: int | None) -> None:
        if found is None:
            self.misses += 1
        elif watermark is None or found.watermark == watermark:
            self.hits += 1
        else:
            self.stale += 1


class InterestCache(Protocol):
    """Vectors of one bundle. What cannot be read (damaged, written by another program) counts as not there."""

    @property
    def counts(self) -> Mapping[str, CacheCounts]:
        """Counts by name of the tier, "memory" or "redis", in the order in which the tiers are asked."""
        ...

    async def get(self, user_id: UserId, watermark: int | None = None) -> InterestVectors | None:
        """The vectors kept, whatever their watermark. Raises CacheUnavailable.

        watermark: the history's, where the caller knows it. A nearer tier that holds another one is passed over in
        favour of a farther tier; older vectors still come back when nothing better is found.
        """
        ...

    async def put(self, user_id: UserId, vectors: InterestVectors) -> None:
        """Raises CacheUnavailable."""
        ...

    async def delete(self, user_id: UserId) -> int:
        """Forget the user; give how many entries went. Raises CacheUnavailable."""
        ...

    def forget(self, digest: str) -> None:
        """Drop whoever has this `user_digest` from this process's memory."""
        ...

    async def ping(self) -> None:
        """Raises CacheUnavailable."""
        ...

    async def close(self) -> None: ...


class MemoryInterestCache:
    """In this process: the least recently used users go first, and each after `ttl_s`.

    clock: seconds, growing.
    """

    def __init__(self, max_users: int, ttl_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._kept: TTLCache[UserId, InterestVectors] = TTLCache(max_users, ttl_s, timer=clock)
        self._counts = CacheCounts()
        self.counts = {"memory": self._counts}

    async def get(self, user_id: UserId, watermark: int | None = None) -> InterestVectors | None:
        found = self._kept.get(user_id)
        self._counts.count(found, watermark)
        return found

    async def put(self, user_id: UserId, vectors: InterestVectors) -> None:
        self._kept[user_id] = vectors

    async def delete(self, user_id: UserId) -> int:
        return int(self._kept.pop(user_id, None) is not None)

    def forget(self, digest: str) -> None:
        """1 ms for 1,000 users: erasures are rare, and the ids need not be kept twice for them."""
        for user_id in [user_id for user_id in self._kept if user_digest(user_id) == digest]:
            self._kept.pop(user_id, None)

    async def ping(self) -> None:
        """Memory always answers."""

    async def close(self) -> None:
        self._kept.clear()


class TieredInterestCache:
    """A near cache (this process's memory) in front of a far one (Redis, shared by all processes).

    When the far one fails, the near one goes on being read and written, and CacheUnavailable tells of it.
    """

    def __init__(self, near: InterestCache, far: InterestCache) -> None:
        self._near = near
        self._far = far
        self.counts = {**near.counts, **far.counts}

    async def get(self, user_id: UserId, watermark: int | None = None) -> InterestVectors | None:
        near = await self._near.get(user_id, watermark)
        if near is not None and watermark in (None, near.watermark):
            return near
        try:
            far = await self._far.get(user_id, watermark)
        except CacheUnavailable as error:
            error.nearest = near
            raise
        if far is None or (near is not None and near.watermark > far.watermark):
            return near
        await self._near.put(user_id, far)
        return far

    async def put(self, user_id: UserId, vectors: InterestVectors) -> None:
        await self._near.put(user_id, vectors)
        await self._far.put(user_id, vectors)

    async def delete(self, user_id: UserId) -> int:
        """Other processes' near caches hear of it by `app.users.erasure`."""
        return await self._near.delete(user_id) + await self._far.delete(user_id)

    def forget(self, digest: str) -> None:
        self._near.forget(digest)

    async def ping(self) -> None:
        await self._far.ping()

    async def close(self) -> None:
        await self._near.close()
        await self._far.close()
