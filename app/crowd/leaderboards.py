"""Lists that are the same for all who ask: popular, trending, fresh, by time window, category, part of the week and
context.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from cachetools import TTLCache

from app.catalogue.live import LiveCatalogue
from app.crowd.crowd import TREND_HALF_LIFE_S, Crowd
from app.crowd.log import View
from app.crowd.tables import Tally, known_since, tally_popular, tally_trending
from app.domain import DoubleArray, FloatArray, IntArray, Item, ItemId
from app.history.features import NONE, Features
from app.telemetry import count_look_up

KEPT_S = 1.0
KEPT = 256
"""Lists kept for a second: the same start page is asked for again and again, and each costs a pass over the log."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An item's place in a list. worth: what it is ranked by. events: liked events of it in the window."""

    item: Item
    worth: float
    events: int


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Best first. since, until: the window that was looked at; None while there is nothing in it."""

    standings: tuple[Standing, ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Items in no order, each with its worth; only those above 0 are told of."""

    item_ids: Sequence[ItemId]
    worth: FloatArray | DoubleArray
    events: IntArray
    since_s: int
    until_s: int


class Leaderboards:
    """Answers lists, each computed beside the event loop and kept for a second."""

    def __init__(self, crowd: Crowd, catalogue: LiveCatalogue) -> None:
        self._crowd = crowd
        self._catalogue = catalogue
        self._kept: TTLCache[tuple[object, ...], Leaderboard] = TTLCache(KEPT, KEPT_S)

    async def popular(
        self, k: int, window_s: int | None, category: str | None, bucket: int | None, features: Features = NONE
    ) -> Leaderboard:
        """By the weights of what was liked. window_s: None for all of the log. bucket: as of `app.scoring.prior`.

        features: only events in whose context they held, see `View.within`; windows end at the newest event of all.
        """
        key = ("popular", k, window_s, category, bucket, features)
        return await self._answer(
            key, lambda view: _of_log(view, tally_popular(view, window_s, bucket)), k, category, features
        )

    async def trending(
        self, k: int, window_s: int | None, category: str | None, bucket: int | None, features: Features = NONE
    ) -> Leaderboard:
        """By the rise of counts whose half-life is window_s, three days when None; nothing that does not rise.

        features: as of `popular`; the usual share is then that of the context.
        """
        half_life_s = window_s or TREND_HALF_LIFE_S
        key = ("trending", k, half_life_s, category, bucket, features)
        return await self._answer(
            key, lambda view: _of_log(view, tally_trending(view, half_life_s, bucket)), k, category, features
        )

    async def fresh(self, k: int, window_s: int | None, category: str | None) -> Leaderboard:
        """Newest first. worth: Unix seconds of the item's put, or of its first event where it came with the bundle."""
        created_s = {item_id: at.timestamp() for item_id, at in self._catalogue.created_at.items()}
        key = ("fresh", k, window_s, category)
        return await self._answer(key, lambda view: _newest(view, created_s, window_s), k, category)

    async def _answer(
        self,
        key: tuple[object, ...],
        rank: Callable[[View], _Ranking],
        k: int,
        category: str | None,
        features: Features = NONE,
    ) -> Leaderboard:
        kept = self._kept.get(key)
        count_look_up("leaderboards", hit=kept is not None)
        if kept is not None:
            return kept
        board = await asyncio.to_thread(self._list, rank, self._crowd.log.view(), k, category, features)
        self._kept[key] = board
        return board

    def _list(
        self, rank: Callable[[View], _Ranking], view: View, k: int, category: str | None, features: Features
    ) -> Leaderboard:
        view = view.within(features)
        ranking = rank(view)
        standings: list[Standing] = []
        for place in np.argsort(-ranking.worth, kind="stable").tolist():
            if len(standings) == k or ranking.worth[place] <= 0:
                break
            item = self._find(ranking.item_ids[place])
            if item is not None and (category is None or category in item.categories):
                standings.append(Standing(item, float(ranking.worth[place]), int(ranking.events[place])))
        if not len(ranking.worth) or (features and not len(view.items)):
            return Leaderboard((), None, None)
        since, until = (datetime.fromtimestamp(at_s, UTC) for at_s in (ranking.since_s, ranking.until_s))
        return Leaderboard(tuple(standings), since, until)

    def _find(self, item_id: ItemId) -> Item | None:
        """The item if it may be shown. Single look-ups, which any thread may make."""
        slot = self._catalogue.find_slot(item_id)
        return self._catalogue.item_at(slot) if slot is not None and self._catalogue.is_served(item_id) else None


def _of_log(view: View, tally: Tally) -> _Ranking:
    return _Ranking(view.item_ids, tally.worth, tally.events, tally.since_s, tally.until_s)


def _newest(view: View, created_s: dict[ItemId, float], window_s: int | None) -> _Ranking:
    item_ids, since_s = known_since(view, created_s)
    until_s = int(since_s.max(initial=0))
    start_s = int(since_s.min(initial=until_s)) if window_s is None else until_s - window_s
    counted = dict(zip(view.item_ids, np.bincount(view.items, minlength=view.n_items).tolist(), strict=False))
    events = np.array([counted.get(item_id, 0) for item_id in item_ids], dtype=np.int64)
    worth = since_s if window_s is None else np.where(since_s > start_s, since_s, 0.0)
    return _Ranking(item_ids, worth, events, start_s, until_s)
