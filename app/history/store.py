"""The durable log of events. An event is kept once, never changed, and goes only when its user is erased."""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain import Event, EventId, History, ItemId, UserId
from app.history import features
from app.history import observations as beside
from app.history.observations import Observation
from app.history.weights import IMPRESSION, holds_refusal, lifting_types, refusing_types
from app.storage.database import Database
from app.storage.timestamps import MICROS_PER_S, from_micros, to_micros

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

    async def append(
        self, events: Sequence[Event], received_at: datetime | None = None, observations: Sequence[Observation] = ()
    ) -> AppendResult:
        """Keep every event and observation whose id is new; return once they are on disk.

        An event whose `at` is `received_at` is taken to have been told no time of its own: its retry, stamped later,
        is the same event. received_at: now when None. What is told in one call is compared with each other too. What
        is told of a user who was merged into another is that other's. Raises Overloaded when too many writes wait.
        """
        received = to_micros(received_at or datetime.now(UTC))
        return await self._database.write(lambda connection: _append(connection, events, observations, received))

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
        """`History.watermark` without the events: two steps down an index."""
        return int(self._database.read(_WATERMARK, (user_id,))[0][0])

    async def seen(
        self, user_id: UserId, *, after: datetime | None = None, types: frozenset[str] | None = None
    ) -> frozenset[ItemId]:
        """Every item that the user has an event on: of this moment or later, of these types, any where None.

        60 us for 100 events; 1 ms, and on the event loop, for 4,000.
        """
        if after is None and types is None:
            return frozenset(item_id for (item_id,) in self._database.read(_SEEN, (user_id,)))
        rows = self._database.read(_SEEN_AS, (user_id, 0 if after is None else to_micros(after)))
        return frozenset(item_id for item_id, event_type in rows if types is None or event_type in types)

    async def refused(self, user_id: UserId, at: datetime) -> frozenset[ItemId]:
        """Items the user wants no more of at a moment: disliked or hidden, not so long ago that it is forgotten, and
        not liked, bought or the like since."""
        refusals = refusing_types()
        rows = self._database.read(_OF_TYPES.format(_marks(refusals)), (user_id, *refusals))
        if not rows:  # as for most users: nothing to weigh against
            return frozenset()
        lifting = lifting_types()
        rows += self._database.read(_OF_TYPES.format(_marks(lifting)), (user_id, *lifting))
        latest = {item_id: (event_type, micros) for micros, _, item_id, event_type in sorted(rows)}
        now = to_micros(at)
        return frozenset(
            ItemId(item_id)
            for item_id, (event_type, micros) in latest.items()
            if holds_refusal(event_type, (now - micros) / MICROS_PER_S)
        )

    async def shown(self, user_id: UserId, since: datetime | None = None) -> frozenset[ItemId]:
        """Items that an impression says the user was shown, from `since` on. One that names nobody is of whoever its
        slate was for, as long as that is remembered."""
        after = 0 if since is None else to_micros(since)
        rows = self._database.read(_SHOWN, (user_id, IMPRESSION, after))
        return frozenset(ItemId(item_id) for (items,) in rows for item_id in json.loads(items))

    async def knows(self, user_id: UserId) -> bool:
        """Whether the user has any event."""
        return await self.watermark(user_id) > 0

    async def recent_users(self, n: int) -> list[UserId]:
        """Up to n users of the last events stored, the latest first."""
        rows = await asyncio.to_thread(self._database.read, _RECENT_USERS, (n * EVENTS_LOOKED_AT, n))
        return [UserId(user_id) for user_id, _ in rows]

    async def delete_user(self, user_id: UserId) -> int:
        """Erase the user's events; return how many there were. All of a user, in all stores: `app.users.erasure`."""
        return await self._database.write(
            lambda connection: connection.execute("DELETE FROM events WHERE user_id = ?", (user_id,)).rowcount
        )


Row = tuple[str, str, str, str, int, float | None, str | None, float | None, float | None, str | None, int]
"""In the order of _COLUMNS."""

_COLUMNS = "event_id, user_id, item_id, type, at, value, slate_id, dwell_s, completion, context, received_at"
_LAST = f"""
    SELECT {_COLUMNS} FROM events
    WHERE user_id = ? AND at < ? AND seq <= ? ORDER BY at DESC, seq DESC LIMIT ?
"""  # noqa: S608
_WATERMARK = """
    SELECT max(coalesce((SELECT max(seq) FROM events WHERE user_id = ?1), 0),
               coalesce((SELECT seq FROM history_marks WHERE user_id = ?1), 0))
"""
_RECENT_USERS = """
    SELECT user_id, max(seq) FROM (SELECT user_id, seq FROM events ORDER BY seq DESC LIMIT ?)
    GROUP BY user_id ORDER BY 2 DESC LIMIT ?
"""
_SEEN = "SELECT DISTINCT item_id FROM events WHERE user_id = ?"
_SEEN_AS = "SELECT DISTINCT item_id, type FROM events WHERE user_id = ? AND at >= ?"
_OF_TYPES = "SELECT at, seq, item_id, type FROM events WHERE user_id = ? AND type IN ({})"
_SHOWN = """
    SELECT items FROM observations WHERE user_id = ?1 AND type = ?2 AND at >= ?3 AND items IS NOT NULL
    UNION ALL
    SELECT observations.items FROM slates JOIN observations USING (slate_id)
    WHERE slates.user_id = ?1 AND observations.user_id IS NULL AND type = ?2 AND at >= ?3
    AND observations.items IS NOT NULL
"""
_INSERT = f"""
    INSERT INTO events ({_COLUMNS}, slate_context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608
_CONTEXT_OF_SLATE = "SELECT json_extract(request, '$.context.features') FROM slates WHERE slate_id = ?"
_FIND = f"SELECT {_COLUMNS} FROM events WHERE event_id = ?"  # noqa: S608


def _append(
    connection: sqlite3.Connection, events: Sequence[Event], observations: Sequence[Observation], received_at: int
) -> AppendResult:
    told = {event.user_id for event in events} | {seen.user_id for seen in observations if seen.user_id is not None}
    users = _current_users(connection, told)
    slate_contexts = _slate_contexts(connection, events)
    stored, duplicates, conflicts = [], [], []
    for event in events:
        row = _to_row(event, users[event.user_id], received_at)
        taken = connection.execute("SELECT 1 FROM observations WHERE event_id = ?", row[:1]).fetchone()
        if taken is None and connection.execute(_INSERT, (*row, slate_contexts.get(event.slate_id))).rowcount:
            stored.append(event.event_id)
        elif taken is None and _body(row) == _body(connection.execute(_FIND, row[:1]).fetchone()):
            duplicates.append(event.event_id)
        else:
            conflicts.append(event.event_id)
    for seen in observations:
        user_id = None if seen.user_id is None else users[seen.user_id]
        other = beside.to_row(seen, user_id, received_at)
        if connection.execute("SELECT 1 FROM events WHERE event_id = ?", other[:1]).fetchone():
            conflicts.append(seen.event_id)
        elif beside.insert(connection, other):
            stored.append(seen.event_id)
        else:
            (duplicates if beside.is_same(connection, other) else conflicts).append(seen.event_id)
    return AppendResult(tuple(stored), tuple(duplicates), tuple(conflicts))


def _current_users(connection: sqlite3.Connection, user_ids: Iterable[UserId]) -> dict[UserId, UserId]:
    """Who each of them is by now: themselves, or the user that they were merged into."""
    found = {}
    for user_id in user_ids:
        row = connection.execute("SELECT into_user_id FROM merged_users WHERE user_id = ?", (user_id,)).fetchone()
        found[user_id] = user_id if row is None else UserId(row[0])
    return found


def _slate_contexts(connection: sqlite3.Connection, events: Sequence[Event]) -> dict[str | None, str | None]:
    """Slate -> what its request told of the context, for those that are named and remembered."""
    found: dict[str | None, str | None] = {}
    for slate_id in {event.slate_id for event in events} - {None}:
        for (context,) in connection.execute(_CONTEXT_OF_SLATE, (slate_id,)):
            found[slate_id] = context
    return found


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _body(row: Row) -> tuple[object, ...]:
    """What has to be equal: all that the client told, so not the time where that is the moment of receipt."""
    *told, received_at = row
    at = told.pop(4)
    return (*told, None if at == received_at else at)


def _to_row(event: Event, user_id: UserId, received_at: int) -> Row:
    return (
        event.event_id,
        user_id,
        event.item_id,
        event.type,
        to_micros(event.at),
        event.value,
        event.slate_id,
        event.dwell_s,
        event.completion,
        features.to_text(event.features),
        received_at,
    )


def _from_row(row: Row) -> Event:
    event_id, user_id, item_id, event_type, at, value, slate_id, dwell_s, completion, context, _ = row
    return Event(
        EventId(event_id),
        UserId(user_id),
        ItemId(item_id),
        event_type,
        from_micros(at),
        value,
        slate_id=slate_id,
        dwell_s=dwell_s,
        completion=completion,
        features=dict(features.from_text(context)),
    )
