"""The durable record of which bundle was told to answer, and when. The newest decision holds."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class Decision:
    """version: of the bundle that answers from then on. configured: of the one that `bundle_dir` named at that time."""

    seq: int
    version: str
    configured: str
    at: datetime


class DecisionStore:
    """Decisions in a `Database`. Each gets the next seq, inside the write: two at once still have an order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, version: str, configured: str) -> Decision:
        """On disk when it returns."""
        at = datetime.now(UTC)
        seq = await self._database.write(lambda connection: _insert(connection, version, configured, to_micros(at)))
        return Decision(seq, version, configured, at)

    def last(self, n: int = 1) -> list[Decision]:
        """Up to n, newest first."""
        rows = self._database.read("SELECT seq, version, configured, at FROM decisions ORDER BY seq DESC LIMIT ?", (n,))
        return [Decision(seq, version, configured, from_micros(at)) for seq, version, configured, at in rows]


def _insert(connection: sqlite3.Connection, version: str, configured: str, at: int) -> int:
    row = (version, configured, at)
    cursor = connection.execute("INSERT INTO decisions (version, configured, at) VALUES (?, ?, ?)", row)
    return int(cursor.lastrowid or 0)
