"""The right to be forgotten: one call takes a user out of every store, and the receipt says what each one lost.

The tables lose their rows in one transaction, which also leaves a notice with the id's hash. Every process follows
those notices and forgets what its memory holds; a slate that was still on its way to the disk is dropped there.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import structlog

from app.domain import UserId
from app.errors import PenchantError
from app.storage.database import Database
from app.storage.timestamps import to_micros
from app.users.digest import user_digest
from app.users.tables import USER_TABLES

log = structlog.get_logger()

INTEREST_CACHE = "interest_cache"


class Forgetful(Protocol):
    """The cache of interest vectors: what it holds of a user goes, here and in Redis."""

    async def delete(self, user_id: UserId) -> int:
        """Entries deleted. Raises CacheUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """rows: by store, 0 where it held nothing. incomplete: stores that did not answer, and what becomes of them."""

    receipt_id: str
    user_id: UserId
    erased_at: datetime
    rows: dict[str, int]
    incomplete: dict[str, str]


class Erasure:
    """Erases users, and keeps this process's memory free of those whom any process erased.

    forget: called with the digest of each erased user, to drop what memory holds.
    """

    def __init__(self, database: Database, cache: Forgetful, forget: Sequence[Callable[[str], object]]) -> None:
        self._database = database
        self._cache = cache
        self._forget = forget
        self._seq = self._last_seq()

    async def erase(self, user_id: UserId, now: datetime | None = None) -> Receipt:
        """Erase all of a user; a user of whom nothing is kept gets a receipt of zeros, and so does a second call."""
        self.catch_up()  # what another process erased is not counted as lost here again
        at = now or datetime.now(UTC)
        receipt_id, incomplete = secrets.token_hex(8), {}
        write = partial(_erase, user_id=user_id, receipt_id=receipt_id, at=to_micros(at))
        ids, rows = await self._database.write(write)
        try:
            rows[INTEREST_CACHE] = sum([await self._cache.delete(one) for one in ids])
        except PenchantError as error:
            incomplete[INTEREST_CACHE] = f"{error.title}: its entries are not used any more and run out by themselves"
        self.catch_up()
        return Receipt(receipt_id, user_id, at, rows, incomplete)

    def catch_up(self) -> None:
        """Forget whoever was erased since the last call, by whichever process."""
        for seq, digest in self._database.read(_SINCE, (self._seq,)):
            for forget in self._forget:
                forget(digest)
            self._seq = seq

    async def follow(self, poll_s: float) -> None:
        """Catch up again and again, until cancelled."""
        while True:
            await asyncio.sleep(poll_s)
            try:
                self.catch_up()
            except PenchantError as error:
                log.warning("erasures_not_followed", reason=str(error))

    def _last_seq(self) -> int:
        return int(self._database.read("SELECT coalesce(max(seq), 0) FROM erasures")[0][0])


_SINCE = "SELECT seq, user_digest FROM erasures WHERE seq > ? ORDER BY seq"


def _erase(
    connection: sqlite3.Connection, user_id: UserId, receipt_id: str, at: int
) -> tuple[list[UserId], dict[str, int]]:
    """The ids under which the user was known, those merged into it among them, and the rows that each store lost."""
    merged = connection.execute("SELECT user_id FROM merged_users WHERE into_user_id = ?", (user_id,)).fetchall()
    ids = [user_id, *(UserId(row[0]) for row in merged)]
    rows = {held.store: 0 for held in USER_TABLES}
    for one in ids:
        for held in USER_TABLES:  # the names are ours
            deleted = connection.execute(f"DELETE FROM {held.table} WHERE {held.column} = ?", (one,))  # noqa: S608
            rows[held.store] += deleted.rowcount
        notice = "INSERT INTO erasures (receipt_id, user_digest, at) VALUES (?, ?, ?)"
        connection.execute(notice, (receipt_id, user_digest(one), at))
    return ids, rows
