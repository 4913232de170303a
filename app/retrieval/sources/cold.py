"""Items that hardly anybody has met, close to the interests: what a warm item always outscores by behaviour alone."""

import numpy as np

from app.catalogue.live import NO_ROW, LiveCatalogue
from app.crowd.crowd import Crowd, Standings
from app.domain import BoolArray, IntArray, Source
from app.retrieval.sources.base import Ask
from app.retrieval.sources.rows import merge

COLD_BELOW = 5
"""Events from which on an item is no longer cold: half of its ID block counts then (the usual shrink)."""


class ColdSource:
    name = Source.COLD

    def __init__(self, catalogue: LiveCatalogue, crowd: Crowd, trained_events: IntArray) -> None:
        """trained_events: (n_rows,) events that each item of the bundle was trained on."""
        self._catalogue = catalogue
        self._crowd = crowd
        self._trained_events = trained_events
        self._known: tuple[Standings, int] | None = None
        self._cold: BoolArray = np.empty(0, dtype=np.bool_)

    async def propose(self, ask: Ask, n: int) -> IntArray:
        eligible = ask.eligible & self._mask()[: len(ask.eligible)]
        if Source.POPULAR in ask.intent.sources or not eligible.any():
            return np.empty(0, dtype=np.int64)
        return merge(await self._catalogue.index.find(ask.query.gated, n, eligible))[:n]

    def _mask(self) -> BoolArray:
        """(n_slots,) True for cold ones; made anew when the standings are, or items have come."""
        standings, n_slots = self._crowd.standings, self._catalogue.index.n_slots
        if self._known is None or self._known[0] is not standings or self._known[1] != n_slots:
            events = np.zeros(n_slots, dtype=np.int64)
            events[: len(standings.n_events)] = standings.n_events
            rows = self._catalogue.rows_at(np.arange(n_slots))
            events[rows != NO_ROW] += self._trained_events[rows[rows != NO_ROW]]
            self._cold, self._known = events < COLD_BELOW, (standings, n_slots)
        return self._cold
