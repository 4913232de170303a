"""The durable catalogue: the items, the vectors of their texts, and the feed of changes that every process follows."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from app.catalogue.codec import item_from_json, item_to_json
from app.domain import FloatArray, Item, ItemId
from app.errors import UnknownItem
from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """An item as its last change left it. item: None when that change deleted it.

    vector: (D,) float32, the text vector, valid for the bundle `vector_version` only; None when there is none yet.
    created_at: when it was put; None when it came with a bundle, and nobody knows.
    """

    seq: int
    item_id: ItemId
    item: Item | None
    vector: FloatArray | None
    vector_version: str | None
    created_at: datetime | None = field(default=None, compare=False)


class CatalogueStore:
    """Items in a `Database`. A deleted item leaves a tombstone, so that the feed can tell of it.

    Each change gets the next `change_seq`. It is read and written inside one write transaction, and SQLite has one
    writer at a time: changes are committed in the order of their seq, so no change appears behind a reader's back
    with a smaller seq than one it has already read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, item: Item, vector: FloatArray | None, version: str | None) -> bool:
        """Create the item or replace it; True when it was not there. version: the bundle that made the vector."""
        row = (item.item_id, item_to_json(item), _to_bytes(vector), version, to_micros(datetime.now(UTC)))
        return await self._database.write(lambda connection: _put(connection, row))

    async def put_many(self, rows: Sequence[tuple[Item, FloatArray]], version: str) -> int:
        """Create or replace items, all of them or none; how many were not there. Each with its text vector."""
        now = to_micros(datetime.now(UTC))
        told = [(item.item_id, item_to_json(item), _to_bytes(vector), version, now) for item, vector in rows]
        return await self._database.write(lambda connection: sum(_put(connection, row) for row in told))

    async def get_with_seq(self, item_id: ItemId) -> tuple[Item, int]:
        """The item and the seq of its last change. Raises UnknownItem."""
        rows = self._database.read("SELECT body, change_seq FROM items WHERE item_id = ? AND NOT deleted", (item_id,))
        if not rows:
            raise _unknown(item_id)
        return item_from_json(rows[0][0]), int(rows[0][1])

    async def revise(self, item: Item, seq: int, text: tuple[FloatArray, str] | None) -> bool:
        """Replace the item as its change `seq` left it; False where it has changed since, and nothing is done then.

        text: its text vector and the bundle that made it; None where the text is as it was.
        """
        vector, version = (None, None) if text is None else (_to_bytes(text[0]), text[1])
        row = (item_to_json(item), vector, version)
        return await self._database.write(
            lambda connection: _revise(connection, item.item_id, seq, row, keep_vector=text is None)
        )

    async def pages(self, size: int = 500) -> AsyncIterator[list[Item]]:
        """All items by id, read a page at a time and off the event loop; each as it is when its page is read."""
        last = ""
        while rows := await asyncio.to_thread(self._database.read, _PAGE, (last, size)):
            yield [item_from_json(body) for _, body in rows]
            last = rows[-1][0]

    async def delete(self, item_id: ItemId) -> None:
        """Raises UnknownItem when it is not there, or not any more."""
        await self._database.write(lambda connection: _delete(connection, item_id))

    async def seed(self, items: Sequence[Item]) -> int:
        """Insert the items never seen here, without vectors; return how many. What was deleted stays deleted."""
        rows = [(item.item_id, item_to_json(item)) for item in items]
        return await self._database.write(lambda connection: _seed(connection, rows))

    async def get(self, item_id: ItemId) -> Item:
        """Raises UnknownItem."""
        rows = self._database.read("SELECT body FROM items WHERE item_id = ? AND NOT deleted", (item_id,))
        if not rows:
            raise _unknown(item_id)
        return item_from_json(rows[0][0])

    async def changes_since(self, seq: int, limit: int) -> list[CatalogueChange]:
        """Up to `limit` changes after `seq`, oldest first; an item changed several times is told of once, as it is.

        Ask again from the last seq returned until the list is empty. From 0 it is the whole catalogue.
        """
        if await self.last_seq() <= seq:
            return []
        # Off the event loop: 6 us an item are 6 ms for a thousand.
        return await asyncio.to_thread(self._read_changes, seq, limit)

    async def last_seq(self) -> int:
        """The newest change, 0 when there is none."""
        return int(self._database.read(_LAST_SEQ)[0][0])

    async def count(self) -> int:
        """Items that are there, tombstones left out."""
        return int(self._database.read("SELECT count(*) FROM items WHERE deleted = 0")[0][0])

    def _read_changes(self, seq: int, limit: int) -> list[CatalogueChange]:
        return [_to_change(row) for row in self._database.read(_CHANGES, (seq, limit))]


_LAST_SEQ = "SELECT coalesce(max(change_seq), 0) FROM items"
_INSERT_UNSEEN = """
    INSERT INTO items (item_id, body, vector, vector_version, change_seq) VALUES (?, ?, NULL, NULL, ?)
    ON CONFLICT (item_id) DO NOTHING
"""
_UPSERT = """
    INSERT INTO items (item_id, body, vector, vector_version, created_at, change_seq) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (item_id) DO UPDATE SET body = excluded.body, vector = excluded.vector,
        vector_version = excluded.vector_version, change_seq = excluded.change_seq, deleted = 0,
        created_at = CASE WHEN deleted THEN excluded.created_at ELSE created_at END
"""
_PAGE = "SELECT item_id, body FROM items WHERE item_id > ? AND NOT deleted ORDER BY item_id LIMIT ?"
_REVISE = """
    UPDATE items SET body = ?, vector = ?, vector_version = ?, change_seq = ?
    WHERE item_id = ? AND change_seq = ? AND NOT deleted
"""
_REVISE_BODY = "UPDATE items SET body = ?, change_seq = ? WHERE item_id = ? AND change_seq = ? AND NOT deleted"
_DELETE = """
    UPDATE items SET deleted = 1, vector = NULL, vector_version = NULL, change_seq = ?
    WHERE item_id = ? AND NOT deleted
"""
_CHANGES = """
    SELECT change_seq, item_id, body, vector, vector_version, created_at, deleted FROM items
    WHERE change_seq > ? ORDER BY change_seq LIMIT ?
"""


def _put(connection: sqlite3.Connection, row: tuple[object, ...]) -> bool:
    there = connection.execute("SELECT 1 FROM items WHERE item_id = ? AND NOT deleted", row[:1]).fetchone()
    connection.execute(_UPSERT, (*row, _last_seq(connection) + 1))
    return there is None


def _revise(
    connection: sqlite3.Connection, item_id: ItemId, seq: int, row: tuple[object, ...], *, keep_vector: bool
) -> bool:
    told = row[:1] if keep_vector else row
    sql = _REVISE_BODY if keep_vector else _REVISE
    return connection.execute(sql, (*told, _last_seq(connection) + 1, item_id, seq)).rowcount > 0


def _delete(connection: sqlite3.Connection, item_id: ItemId) -> None:
    if not connection.execute(_DELETE, (_last_seq(connection) + 1, item_id)).rowcount:
        raise _unknown(item_id)


def _seed(connection: sqlite3.Connection, rows: Sequence[tuple[ItemId, str]]) -> int:
    first = _last_seq(connection) + 1  # an item passed over leaves its seq out, which harms nobody
    return sum(connection.execute(_INSERT_UNSEEN, (*row, first + i)).rowcount for i, row in enumerate(rows))


def _last_seq(connection: sqlite3.Connection) -> int:
    return int(connection.execute(_LAST_SEQ).fetchone()[0])


def _unknown(item_id: ItemId) -> UnknownItem:
    return UnknownItem(f"the catalogue holds no item {item_id!r}: PUT it first, or look at the spelling")


def _to_bytes(vector: FloatArray | None) -> bytes | None:
    # float32: the process that encoded an item and those that read it from the feed must give it the same scores.
    return None if vector is None else vector.astype("<f4").tobytes()


def _to_change(row: tuple[Any, ...]) -> CatalogueChange:
    seq, item_id, body, vector, version, created_at, deleted = row
    return CatalogueChange(
        seq=seq,
        item_id=ItemId(item_id),
        item=None if deleted else item_from_json(body),
        vector=None if vector is None else np.frombuffer(vector, dtype="<f4").astype(np.float32),
        vector_version=version,
        created_at=None if deleted or created_at is None else from_micros(created_at),
    )
