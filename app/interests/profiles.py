"""Who is asking, as interest vectors: cached where the cache is as new as the history, encoded anew otherwise.

The ladder, best first, every answer saying which rung it stands on: fresh encode, cached, stale, popular. A slate
asked for after an acknowledged event reflects it, since a cached vector is used only when its watermark is the
history's own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.batching import MicroBatcher
from app.catalogue.live import LiveCatalogue
from app.domain import Event, FloatArray, InterestVectors, ItemId, Rung, SlateRequest, UserId
from app.errors import CacheUnavailable, Overloaded
from app.history.store import HistoryStore
from app.interests.cache import InterestCache
from app.interests.encoder import Reading, read_events


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of whoever asks. vectors: None where nothing is. unknown_items: ids told that we do not hold."""

    vectors: InterestVectors | None
    rung: Rung
    degraded: tuple[str, ...] = ()
    unknown_items: tuple[ItemId, ...] = ()


class Profiles:
    """Reads profiles; each process has one."""

    def __init__(
        self,
        histories: HistoryStore,
        catalogue: LiveCatalogue,
        cache: InterestCache,
        encoder: MicroBatcher[Reading, FloatArray],
        *,
        history_events: int,
        encode_budget_s: float,
    ) -> None:
        self._histories = histories
        self._catalogue = catalogue
        self._cache = cache
        self._encoder = encoder
        self._history_events = history_events
        self._encode_budget_s = encode_budget_s

    async def read(self, request: SlateRequest) -> Profile:
        """The profile to serve this request with. Never raises for what the ladder can answer."""
        if request.history:
            return await self._of_session(request)
        if request.user_id is not None:
            return await self._of_user(request.user_id)
        return Profile(None, Rung.POPULAR)

    async def events_of(self, request: SlateRequest) -> tuple[Event, ...]:
        """The events a profile is read from: the user's last stored ones, then the request's own."""
        stored: tuple[Event, ...] = ()
        if request.user_id is not None:
            stored = (await self._histories.last(request.user_id, self._history_events)).events
        told = tuple(event for event in request.history if self._catalogue.is_served(event.item_id))
        return (*stored, *told)[-self._history_events :]

    async def encode(self, reading: Reading) -> FloatArray:
        """(K, D). Raises Overloaded where the queue is full or the answer does not come within the budget."""
        try:
            async with asyncio.timeout(self._encode_budget_s):
                return await self._encoder.ask(reading)
        except TimeoutError:
            raise Overloaded(f"no answer from the encoder within {self._encode_budget_s * 1_000:.0f} ms") from None

    async def _of_session(self, request: SlateRequest) -> Profile:
        """A history told in the request: read after the stored one, encoded for this answer only."""
        unknown = tuple(event.item_id for event in request.history if not self._catalogue.is_served(event.item_id))
        profile = await self._fresh(await self.events_of(request), watermark=0)
        return replace(profile, unknown_items=tuple(dict.fromkeys(unknown)))

    async def _of_user(self, user_id: UserId) -> Profile:
        watermark = await self._histories.watermark(user_id)
        if not watermark:
            return Profile(None, Rung.POPULAR)
        cached, degraded = await self._find_cached(user_id, watermark)
        if cached is not None and cached.watermark == watermark:
            return Profile(cached, Rung.CACHED, degraded)
        history = await self._histories.last(user_id, self._history_events)
        fresh = await self._fresh(history.events, history.watermark)
        if fresh.rung is Rung.FRESH and fresh.vectors is not None:
            degraded += await self._keep(user_id, fresh.vectors)
        elif fresh.degraded and cached is not None:
            fresh = Profile(cached, Rung.STALE, fresh.degraded)
        return replace(fresh, degraded=degraded + fresh.degraded)

    async def _fresh(self, events: Sequence[Event], watermark: int) -> Profile:
        reading, known = read_events(events, self._catalogue)
        if reading is None:
            return Profile(None, Rung.POPULAR)
        try:
            vectors = await self.encode(reading)
        except Overloaded:
            return Profile(None, Rung.POPULAR, ("encoder_overloaded",))
        return Profile(InterestVectors(vectors, watermark, datetime.now(UTC), known[-1].at), Rung.FRESH)

    async def _find_cached(self, user_id: UserId, watermark: int) -> tuple[InterestVectors | None, tuple[str, ...]]:
        try:
            return await self._cache.get(user_id, watermark), ()
        except CacheUnavailable as unavailable:
            near = unavailable.nearest
            return near if isinstance(near, InterestVectors) else None, ("interest_cache_unavailable",)

    async def _keep(self, user_id: UserId, vectors: InterestVectors) -> tuple[str, ...]:
        try:
            await self._cache.put(user_id, vectors)
        except CacheUnavailable:
            return ("interest_cache_unavailable",)
        return ()
