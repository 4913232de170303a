"""Filters to masks over the live catalogue's slots, kept so that a repeated filter costs microseconds.

The catalogue tells which slots changed. So nothing kept is ever thrown away for a change: a mask is brought up to date
by asking the filter about the changed items alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from cachetools import LRUCache

from app.catalogue.live import LiveCatalogue
from app.domain import BoolArray, Boost, Item
from app.filtering.columns import KNOWN_NAMES, Columns
from app.filtering.expression import Expression, names_in, parse_filter, uses_now
from app.scoring.rules import Rules
from app.telemetry import count_look_up

KEPT = 256  # masks; a byte a slot: 50 MB with 200,000 items
FEW = 100  # changed items that are asked about on the event loop: some 0.3 ms
REBUILD_SHARE = 0.05
"""Of the items changed since the columns were made, past which they are made anew rather than caught up with."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A mask as it was when the catalogue had changed `n_changes` times."""

    mask: BoolArray
    n_changes: int


@dataclass(frozen=True, slots=True)
class _Made:
    """Columns of the items as they were when the catalogue had changed `n_changes` times."""

    columns: Columns
    n_changes: int


class FilterMasks:
    """Masks of filters. Belongs to the event loop's thread; what takes long runs on another."""

    def __init__(self, catalogue: LiveCatalogue) -> None:
        self._catalogue = catalogue
        self._kept: LRUCache[tuple[str, int | None], _Kept] = LRUCache(KEPT)
        self._made = _Made(Columns([], {}), 0)
        parse_filter("exists(title)")  # building the parser takes 0.4 s: at the start, not in the first request

    async def mask(self, text: str, now: datetime) -> BoolArray:
        """(n_slots,) True where the filter holds. now: what `now()` means, to the minute. Raises InvalidFilter."""
        expression = parse_filter(text)
        minute = int(now.timestamp()) // 60
        key = (text, minute if uses_now(expression) else None)
        kept = self._kept.get(key)
        count_look_up("filter masks", hit=kept is not None)
        if kept is None:
            kept = await asyncio.to_thread(self._evaluate, expression, minute * 60.0)
        while len(self._catalogue.changed) - kept.n_changes > FEW:
            kept = await asyncio.to_thread(self._catch_up, kept, expression, minute * 60.0)
        self._kept[key] = kept = self._catch_up(kept, expression, minute * 60.0)
        return kept.mask

    async def rules(self, boosts: Sequence[Boost], now: datetime) -> Rules:
        """The slots that each boost holds for. Raises InvalidFilter."""
        masks = [await self.mask(boost.filter, now) for boost in boosts]
        together = np.zeros((len(boosts), self._catalogue.index.n_slots), dtype=np.bool_)
        for row, mask in zip(together, masks, strict=True):
            row[: len(mask)] = mask
        return Rules(tuple(boosts), together)

    async def unknown_names(self, text: str) -> tuple[str, ...]:
        """Properties it asks about that no item has: misspelt, most often. Raises InvalidFilter."""
        names = [name for name in names_in(parse_filter(text)) if name not in KNOWN_NAMES]
        made = await asyncio.to_thread(self._recent)
        return tuple([name for name in names if not made.columns.column(name).values])

    def _evaluate(self, expression: Expression, now_s: float) -> _Kept:
        made = self._recent()
        return _Kept(made.columns.evaluate(expression, now_s), made.n_changes)

    def _recent(self) -> _Made:
        """Columns that are few changes old. On another thread, beside which the catalogue goes on changing."""
        n_changes = len(self._catalogue.changed)
        if n_changes - self._made.n_changes > REBUILD_SHARE * self._made.columns.n_items:
            self._made = _Made(self._columns(self._catalogue.items()), n_changes)
        return self._made

    def _catch_up(self, kept: _Kept, expression: Expression, now_s: float) -> _Kept:
        """Ask about the items that changed since; a mask handed out before is left as it was."""
        changed = self._catalogue.changed[kept.n_changes :]  # before the slots are counted: there are more by then
        if not changed:
            return kept
        slots = np.unique(np.array(changed, dtype=np.int64))
        mask = np.zeros(self._catalogue.index.n_slots, dtype=np.bool_)
        mask[: len(kept.mask)] = kept.mask
        items = [self._catalogue.item_at(slot) for slot in slots.tolist()]
        mask[slots] = self._columns(items).evaluate(expression, now_s)
        return _Kept(mask, kept.n_changes + len(changed))

    def _columns(self, items: Sequence[Item]) -> Columns:
        return Columns(items, self._catalogue.created_at)
