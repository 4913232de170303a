"""What everybody does, as one process knows it: the log's newest events at the start, then whatever comes in.

Every process follows the same log in the same order, so those that have read equally far tell the same.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from app.catalogue.live import LiveCatalogue
from app.crowd.covisits import CoVisits
from app.crowd.log import CrowdLog, View
from app.crowd.pairs import PairMaker
from app.crowd.tables import count_events, known_since, tally_lately, tally_trending
from app.domain import FloatArray, IntArray, ItemId, UserId
from app.history.feed import Deed, EventFeed
from app.users.digest import user_digest

START_PAGE = 5_000
PAGE = 50
"""Events taken in at a time while requests are served: about a millisecond of the event loop."""
REFRESH_S = 1.0
TREND_HALF_LIFE_S = 3 * 86_400

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standings:
    """Slots in an order, best first, refreshed once a second at most.

    trending: those that rise. fresh: newest first, of which somebody knows when they came. n_events: (n_slots,) events
    that the log holds of each slot's item. lately: (n_slots,) its decayed likes, see `app.scoring.trend`.
    """

    trending: IntArray
    fresh: IntArray
    n_events: IntArray
    lately: FloatArray


class Crowd:
    """Belongs to the event loop's thread; what it computes from views runs beside it."""

    def __init__(self, feed: EventFeed, catalogue: LiveCatalogue, *, most_events: int, half_life_days: float) -> None:
        """half_life_days: of the trend, as the bundle's blend has it."""
        self._feed = feed
        self._catalogue = catalogue
        self._most_events = most_events
        self._half_life_days = half_life_days
        self._seq = 0
        self._pairs = PairMaker()
        self._catching_up = asyncio.Lock()
        self._refreshed: tuple[int, int] | None = None
        self.log = CrowdLog(most_events)
        self.covisits = CoVisits()
        self.standings = Standings(_none(), _none(), _none(), np.empty(0, dtype=np.float32))

    async def start(self) -> None:
        """Take in the newest events that there are. Nobody may ask before: it works beside the event loop."""
        self._seq = await self._feed.seq_before_last(self._most_events)
        while True:
            self._seq, deeds = await self._feed.since(self._seq, START_PAGE)
            if not deeds:
                break
            await asyncio.to_thread(self._take, deeds)
        await self.refresh()

    async def catch_up(self) -> None:
        """Take in every event committed before this call."""
        async with self._catching_up:
            while True:
                self._seq, deeds = await self._feed.since(self._seq, PAGE)
                if not deeds:
                    return
                self._take(deeds)

    async def refresh(self) -> None:
        """Compute the standings anew if anything has changed since the last time, and tell the index the trend."""
        state = (self._seq, self._catalogue.version)
        if state != self._refreshed:
            created = {item_id: at.timestamp() for item_id, at in self._catalogue.created_at.items()}
            n_slots = self._catalogue.index.n_slots
            view = self.log.view()
            slots_of, half_life_days = self._catalogue.slots_of, self._half_life_days
            self.standings = await asyncio.to_thread(_stand, view, created, n_slots, slots_of, half_life_days)
            self._catalogue.tell_trend(self.standings.lately)
            self._refreshed = state

    async def follow(self, poll_s: float) -> None:
        """Keep up with what all processes store until cancelled. A store that fails is asked again."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time() + REFRESH_S
        while True:
            await asyncio.sleep(poll_s)
            try:
                await self.catch_up()
                if loop.time() >= refresh_at:
                    await self.refresh()
                    refresh_at = loop.time() + REFRESH_S
            except Exception:
                log.exception("crowd_feed_failed")

    def codes_of(self, item_ids: Sequence[ItemId]) -> IntArray:
        """(n,) codes of those that the log has met."""
        codes = (self.log.code_of(item_id) for item_id in item_ids)
        return np.array([code for code in codes if code is not None], dtype=np.int64)

    def slots_at(self, codes: IntArray) -> IntArray:
        """(n,) slots of item codes."""
        return self._catalogue.slots_of([self.log.item_ids[code] for code in codes.tolist()])

    def last_likes(self, user_id: UserId) -> list[ItemId]:
        """The user's last few likes, newest last; none of a user whose events are too long ago."""
        return [self.log.item_ids[code] for code in self._pairs.last_of(user_id)]

    def covisited(self, item_ids: Sequence[ItemId]) -> tuple[IntArray, FloatArray]:
        """Slots of what was liked together with the items, the newest of which come last, and how strongly."""
        codes = self.codes_of(item_ids)
        newer_more = (np.arange(1, len(codes) + 1) / max(len(codes), 1)).astype(np.float32)
        found, strength = self.covisits.score(codes, newer_more)
        return self.slots_at(found), strength

    def forget(self, digest: str) -> None:
        """Whoever has this `user_digest` is erased: nothing in this process names them. Counts of items name nobody."""
        for user_id in [user_id for user_id in self.log.user_ids() if user_digest(user_id) == digest]:
            self.log.forget(user_id)
            self._pairs.forget(user_id)

    def _take(self, deeds: Sequence[Deed]) -> None:
        find = self._catalogue.find_slot
        liked = [deed for deed in deeds if deed.weight > 0 and find(deed.item_id) is not None]
        self.log.append(liked)
        coded = [(deed.user_id, self.log.code_of(deed.item_id) or 0, deed.weight) for deed in liked]
        self.covisits.add(*self._pairs.pair(coded), n_events=len(deeds))


def _stand(
    view: View,
    created_s: dict[ItemId, float],
    n_slots: int,
    slots_of: Callable[[Sequence[ItemId]], IntArray],
    half_life_days: float,
) -> Standings:
    slots = slots_of(view.item_ids[: view.n_items])
    known = (slots >= 0) & (slots < n_slots)
    rise = tally_trending(view, TREND_HALF_LIFE_S).worth
    rising = np.flatnonzero(known & (rise > 0))
    n_events = np.zeros(n_slots, dtype=np.int64)
    n_events[slots[known]] = count_events(view)[known]
    lately = np.zeros(n_slots, dtype=np.float32)
    lately[slots[known]] = tally_lately(view, half_life_days)[known]
    return Standings(
        trending=slots[rising[np.argsort(-rise[rising], kind="stable")]],
        fresh=_newest(view, created_s, n_slots, slots_of),
        n_events=n_events,
        lately=lately,
    )


def _newest(
    view: View, created_s: dict[ItemId, float], n_slots: int, slots_of: Callable[[Sequence[ItemId]], IntArray]
) -> IntArray:
    item_ids, since_s = known_since(view, created_s)
    slots = slots_of(item_ids)[np.argsort(-since_s, kind="stable")]
    return slots[(slots >= 0) & (slots < n_slots)]


def _none() -> IntArray:
    return np.empty(0, dtype=np.int64)
