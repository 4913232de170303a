"""The durable log of events. An event is kept once, never changed, and goes only when its user is erased."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain import Event, EventId, History, ItemId, UserId
from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros

FOREVER = to_micros(datetime.max.replace(tzinfo=UTC)) + 1

EVENTS_LOOKED_AT = 50
"""For each user asked for: the newest events, and no scan of all there are."""


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What became of each event: kept by this call, kept before, or refused since its id stands for another event."""

    stored: tuple[EventId, ...]
    duplicates: tuple[EventId, ...]
    conflicts: tuple[EventId, ...]


class HistoryStore:
    """A user's events, in a `Database`. Methods raise StoreUnavailable when the file cannot be read or written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, events: Sequence[Event], received_at: datetime | None = None) -> AppendResult:
        """Keep every event whose id is new; return once they are on disk.

        An event whose `at` is `received_at` is taken to have been told no time of its own: its retry, stamped later,
        is the same event. received_at: now when None. Events of one call are compared with each other too.
        Raises Overloaded when too many writes wait.
        """
        received = to_micros(received_at or datetime.now(UTC))
        rows = [_to_row(event, received) for event in events]
        return await self._database.write(lambda connection: _append(connection, rows))

    async def last(self, user_id: UserId, n: int, *, before: datetime | None = None) -> History:
        """The user's last n events by time, then by arrival, oldest first. Empty for a user we do not know.

        before: leave out the events of this moment and later. The watermark is that of all the user's events.
        """
        # First the watermark, then no event past it: an event stored in between is in neither.
        watermark = await self.watermark(user_id)
        until = FOREVER if before is None else to_micros(before)
        rows = self._database.read(_LAST, (user_id, until, watermark, n))
        return History(tuple(_from_row(row) for row in reversed(rows)), watermark)

    async def watermark(self, user_id: UserId) -> int:
        """`History.watermark` without the events: one step down an index."""
        return int(self._database.read(_WATERMARK, (user_id,))[0][0])

    async def seen(self, user_id: UserId) -> frozenset[ItemId]:
        """Every item that the user has an event on. 60 us for 100 events; 1 ms, and on the event loop, for 4,000."""
        return frozenset(item_id for (item_id,) in self._database.read(_SEEN, (user_id,)))

    async def knows(self, user_id: UserId) -> bool:
        """Whether the user has any event."""
        return await self.watermark(user_id) > 0

    async def recent_users(self, n: int) -> list[UserId]:
        """Up to n users of the last events stored, the latest first."""
        rows = await asyncio.to_thread(self._database.read, _RECENT_USERS, (n * EVENTS_LOOKED_AT, n))
        return [UserId(user_id) for user_id, _ in rows]

    async def delete_user(self, user_id: UserId) -> int:
        """Erase the user's events; return how many there were."""
        return await self._database.write(
            lambda connection: connection.execute("DELETE FROM events WHERE user_id = ?", (user_id,)).rowcount
        )


Row = tuple[str, str, str, str, int, float | None, int]
"""event_id, user_id, item_id, type, at, value, received_at."""

_LAST = """
    SELECT event_id, user_id, item_id, type, at, value, received_at FROM events
    WHERE user_id = ? AND at < ? AND seq <= ? ORDER BY at DESC, seq DESC LIMIT ?
"""
_WATERMARK = "SELECT coalesce(max(seq), 0) FROM events WHERE user_id = ?"
_RECENT_USERS = """
    SELECT user_id, max(seq) FROM (SELECT user_id, seq FROM events ORDER BY seq DESC LIMIT ?)
    GROUP BY user_id ORDER BY 2 DESC LIMIT ?
"""
_SEEN = "SELECT DISTINCT item_id FROM events WHERE user_id = ?"
_INSERT = """
    INSERT INTO events (event_id, user_id, item_id, type, at, value, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (event_id) DO NOTHING
"""
_FIND = "SELECT event_id, user_id, item_id, type, at, value, received_at FROM events WHERE event_id = ?"


def _append(connection: sqlite3.Connection, rows: Sequence[Row]) -> AppendResult:
    stored, duplicates, conflicts = [], [], []
    for row in rows:
        event_id = EventId(row[0])
        if connection.execute(_INSERT, row).rowcount:
            stored.append(event_id)
        elif _body(row) == _body(connection.execute(_FIND, (event_id,)).fetchone()):
            duplicates.append(event_id)
        else:
            conflicts.append(event_id)
    return AppendResult(tuple(stored), tuple(duplicates), tuple(conflicts))


def _body(row: Row) -> tuple[object, ...]:
    """What has to be equal: all that the client told, so not the time where that is the moment of receipt."""
    event_id, user_id, item_id, event_type, at, value, received_at = row
    return event_id, user_id, item_id, event_type, value, None if at == received_at else at


def _to_row(event: Event, received_at: int) -> Row:
    at = to_micros(event.at)
    return event.event_id, event.user_id, event.item_id, event.type, at, event.value, received_at


def _from_row(row: Row) -> Event:
    event_id, user_id, item_id, event_type, at, value, _ = row
    return Event(EventId(event_id), UserId(user_id), ItemId(item_id), event_type, from_micros(at), value)
