"""All that is kept of a user, as JSON objects, for them to take along."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from app.domain import UserId
from app.storage.database import Database
from app.storage.timestamps import from_micros
from app.users.tables import USER_TABLES, UserTable

PAGE = 500
TIMES = frozenset({"at", "received_at", "served_at"})
"""Columns that hold microseconds since 1970."""
JSON = frozenset({"items", "request", "served_by", "context", "slate_context"})


class UserExporter:
    """Reads a user's rows, a page at a time and off the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self, user_id: UserId) -> AsyncIterator[dict[str, Any]]:
        """{"store": its name, "row": column -> value}, store after store; none for a user of whom nothing is kept.

        Times are ISO 8601. Vectors made of a row's text are left out: they tell nothing that the text does not.
        """
        for held in USER_TABLES:
            columns = [name for _, name, *_ in self._database.read(f"PRAGMA table_info({held.table})")]
            last = 0
            while page := await asyncio.to_thread(self._page, held, user_id, last):
                for rowid, *values in page:
                    yield {"store": held.store, "row": _to_json(dict(zip(columns, values, strict=True)))}
                    last = rowid

    def _page(self, held: UserTable, user_id: UserId, after: int) -> list[Any]:
        sql = f"SELECT rowid, * FROM {held.table} WHERE {held.column} = ? AND rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608
        return self._database.read(sql, (user_id, after, PAGE))


def _to_json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items() if not isinstance(value, bytes)}


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in TIMES:
        return from_micros(value).isoformat()
    return json.loads(value) if name in JSON else value
