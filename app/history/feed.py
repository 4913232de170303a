"""The log of events in the order of its seq, for whoever follows what all users do."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import ItemId, UserId
from app.history.features import NONE, Features, from_text
from app.history.weights import event_weight, half_life_s
from app.storage.database import Database
from app.storage.timestamps import MICROS_PER_S


@dataclass(frozen=True, slots=True)
class Deed:
    """An event as the crowd sees it. weight, half_life_s: see `app.history.weights`; infinite where nothing fades.
    features: its own, else those of its slate.
    """

    user_id: UserId
    item_id: ItemId
    at_s: int
    weight: float
    half_life_s: float = math.inf
    features: Features = NONE


class EventFeed:
    """Reads the log. SQLite has one writer at a time, so no event appears behind a seq that was read already."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_seq(self) -> int:
        """The newest event, 0 when there is none: one step down an index."""
        return int(self._database.read("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    async def seq_before_last(self, n: int) -> int:
        """The seq after which no more than n events come."""
        rows = self._database.read("SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET ?", (n,))
        return int(rows[0][0]) if rows else 0

    async def since(self, seq: int, limit: int) -> tuple[int, Sequence[Deed]]:
        """Up to `limit` events after `seq`, in order, and the seq to go on from; none when there is nothing newer."""
        if await self.last_seq() <= seq:
            return seq, ()
        # Off the event loop: 2 us an event are 10 ms for a page of 5,000.
        return await asyncio.to_thread(self._read, seq, limit)

    def _read(self, seq: int, limit: int) -> tuple[int, Sequence[Deed]]:
        rows = self._database.read(_SINCE, (seq, limit))
        deeds = [
            Deed(
                UserId(user_id),
                ItemId(item_id),
                at // MICROS_PER_S,
                event_weight(event_type, value, dwell_s, completion),
                half_life_s(event_type),
                from_text(context),
            )
            for _, user_id, item_id, event_type, at, value, dwell_s, completion, context in rows
        ]
        return (int(rows[-1][0]) if rows else seq), deeds


_SINCE = """
    SELECT seq, user_id, item_id, type, at, value, dwell_s, completion, coalesce(context, slate_context) FROM events
    WHERE seq > ? ORDER BY seq LIMIT ?
"""
