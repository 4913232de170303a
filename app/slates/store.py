"""The durable log of slates served. An answer never waits for it: records are written behind, many in one commit.

What a crash can lose is the last moment's slates, `PAUSE_S` and one sync; events are never lost, and one that names
a slate nobody remembers is kept all the same.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

import structlog

from app import telemetry
from app.errors import Overloaded, StoreUnavailable, UnknownSlate
from app.slates.record import COLUMNS, REQUEST, SERVED_AT, SLATE_ID, USER_ID, Row, SlateRecord, from_row, to_row
from app.storage.database import Database
from app.storage.timestamps import to_micros
from app.users.digest import user_digest

MAX_PENDING = 5_000
"""Slates that may wait for the disk: some 20 s of the most that one process serves, about 20 MB."""
PAUSE_S = 0.05
"""How long records gather. One sync of the disk then serves them all, and an event's own commit hardly meets it."""
LOOK_AGAIN_S = (PAUSE_S, 2 * PAUSE_S, 4 * PAUSE_S)
RETRY_S = 1.0
BATCH = 200
PRUNE_EVERY_S = 3_600.0
PRUNE_BATCH = 1_000

log = structlog.get_logger()


class SlateStore:
    """Slates in a `Database`. Belongs to the event loop's thread.

    max_pending: records that may wait; past it new ones are dropped and counted, and the answer goes out all the same.
    """

    def __init__(self, database: Database, *, max_pending: int = MAX_PENDING) -> None:
        self._database = database
        self._max_pending = max_pending
        self._pending: dict[str, SlateRecord] = {}
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Records that wait for the disk."""
        return len(self._pending)

    def keep(self, record: SlateRecord) -> bool:
        """Remember a slate; at once for this process, on disk a moment later. False where it had to be dropped."""
        kept = len(self._pending) < self._max_pending
        telemetry.count_slate_kept(kept=kept)
        if kept:
            self._pending[record.slate_id] = record
            self._wake.set()
        return kept

    async def get(self, slate_id: str) -> SlateRecord:
        """Raises UnknownSlate: never served, dropped, forgotten after its time, or erased with its user.

        What is not there is looked for again, for a third of a second: another process may have served it just now.
        """
        for pause_s in (*LOOK_AGAIN_S, 0.0):
            if (found := self._find(slate_id)) is not None:
                return found
            await asyncio.sleep(pause_s)
        raise UnknownSlate(f"no slate {slate_id!r} is remembered: ask for a new one, and use the id it comes with")

    def _find(self, slate_id: str) -> SlateRecord | None:
        if (pending := self._pending.get(slate_id)) is not None:
            return pending
        rows = self._database.read(f"SELECT {COLUMNS} FROM slates WHERE slate_id = ?", (slate_id,))  # noqa: S608
        return from_row(rows[0]) if rows else None

    def forget(self, digest: str) -> None:
        """Drop the waiting slates of whoever has this `user_digest`; those on disk go with the tables."""
        gone = [
            r.slate_id for r in self._pending.values() if r.user_id is not None and user_digest(r.user_id) == digest
        ]
        for slate_id in gone:
            self._pending.pop(slate_id)

    async def flush(self) -> None:
        """Write all that waits. Raises what the disk says; nothing is forgotten then, and it may be called again."""
        while self._pending:
            batch = list(islice(self._pending.values(), BATCH))
            rows = await asyncio.to_thread(_to_rows, batch)
            await self._database.write(partial(_insert, rows))
            for record in batch:
                self._pending.pop(record.slate_id, None)

    async def write_behind(self) -> None:
        """Write what is kept, until cancelled. A disk that fails is asked again; what waits is bounded."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(PAUSE_S)
            self._wake.clear()
            try:
                await self.flush()
            except (Overloaded, StoreUnavailable) as error:
                log.warning("slates_not_written", waiting=len(self._pending), reason=str(error))
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def prune(self, days: int, now: datetime | None = None) -> int:
        """Forget slates older than this; return how many went. In small writes, so that events need not wait."""
        before = to_micros((now or datetime.now(UTC)) - timedelta(days=days))
        gone = 0
        while n := await self._database.write(lambda connection: _delete_before(connection, before)):
            gone += n
        return gone

    async def keep_pruned(self, days: int) -> None:
        """Prune once an hour, until cancelled."""
        while True:
            try:
                await self.prune(days)
            except (Overloaded, StoreUnavailable) as error:
                log.warning("slates_not_pruned", reason=str(error))
            await asyncio.sleep(PRUNE_EVERY_S)


_INSERT = f"INSERT INTO slates ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
_TELL_EVENTS = """
    UPDATE events SET slate_context = json_extract(?, '$.context.features')
    WHERE slate_id = ? AND slate_context IS NULL
"""
_ERASED_SINCE = "SELECT user_digest, max(at) FROM erasures WHERE at >= ? GROUP BY user_digest"
_DELETE_BEFORE = """
    DELETE FROM slates WHERE rowid IN (SELECT rowid FROM slates WHERE served_at < ? ORDER BY served_at LIMIT ?)
"""


def _to_rows(records: Sequence[SlateRecord]) -> list[Row]:
    return [to_row(record) for record in records]


def _insert(rows: Sequence[Row], connection: sqlite3.Connection) -> None:
    """Slates of users erased since they were served are left out: another process may have erased them meanwhile.

    An event that came before its slate was on disk is told the slate's context now.
    """
    erased = dict(connection.execute(_ERASED_SINCE, (min(row[SERVED_AT] for row in rows),)).fetchall())
    kept = [row for row in rows if not erased or not _is_erased(row, erased)]
    connection.executemany(_INSERT, kept)
    connection.executemany(_TELL_EVENTS, [(row[REQUEST], row[SLATE_ID]) for row in kept])


def _is_erased(row: Row, erased: Mapping[str, int]) -> bool:
    return row[USER_ID] is not None and erased.get(user_digest(row[USER_ID]), -1) >= row[SERVED_AT]


def _delete_before(connection: sqlite3.Connection, before: int) -> int:
    return connection.execute(_DELETE_BEFORE, (before, PRUNE_BATCH)).rowcount
