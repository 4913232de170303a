"""Two users turn out to be one: what an anonymous session did becomes the user's who signed in."""

import sqlite3
from datetime import UTC, datetime

from app.domain import UserId
from app.errors import MergeRefused
from app.storage.database import Database
from app.storage.timestamps import to_micros
from app.users.tables import USER_TABLES


class UserMerger:
    """Moves a user's rows, in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def merge(self, source: UserId, target: UserId, now: datetime | None = None) -> dict[str, int]:
        """Move all of `source` to `target`; give how many rows of each store moved. Again it moves nothing.

        What is told of `source` later, a late batch or a retry of an old one, is the target's. Events keep their place
        in the log, so whoever follows it counts none of them twice. Where `target` was itself merged into another, it
        is that other who gets them. Raises MergeRefused for a user merged into itself.
        """
        at = to_micros(now or datetime.now(UTC))
        return await self._database.write(lambda connection: _merge(connection, source, target, at))


def _merge(connection: sqlite3.Connection, source: UserId, target: UserId, at: int) -> dict[str, int]:
    found = connection.execute("SELECT into_user_id FROM merged_users WHERE user_id = ?", (target,)).fetchone()
    into = target if found is None else UserId(found[0])
    if into == source:
        raise MergeRefused(f"{source!r} and {target!r} are already the same user: name two different ones")
    moved = {}
    for held in USER_TABLES:
        if held.table in {"merged_users", "history_marks"}:
            continue
        # The names are ours. A row whose key the target has already is left behind by the update, and goes.
        sql = f"UPDATE OR IGNORE {held.table} SET {held.column} = ? WHERE {held.column} = ?"  # noqa: S608
        moved[held.store] = connection.execute(sql, (into, source)).rowcount
        connection.execute(f"DELETE FROM {held.table} WHERE {held.column} = ?", (source,))  # noqa: S608
    connection.execute("UPDATE merged_users SET into_user_id = ? WHERE into_user_id = ?", (into, source))
    connection.execute("INSERT OR REPLACE INTO merged_users VALUES (?, ?, ?)", (source, into, at))
    if moved["events"]:
        mark_history(connection, into)
    return moved


def mark_history(connection: sqlite3.Connection, user_id: UserId) -> None:
    """Give the user's history a watermark that it never had: it changed, and what is cached of it is stale."""
    connection.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'events'")
    connection.execute(
        """
        INSERT INTO history_marks SELECT ?, seq FROM sqlite_sequence WHERE name = 'events'
        ON CONFLICT (user_id) DO UPDATE SET seq = excluded.seq
        """,
        (user_id,),
    )
