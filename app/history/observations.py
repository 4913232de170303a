"""What was shown and what was looked for: told of a user, and no history, since no item was taken or refused.

Kept apart from the events, so that a thousand impressions neither fill a history nor make cached interests stale.
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import EventId, ItemId, UserId
from app.storage.timestamps import to_micros


@dataclass(frozen=True, slots=True)
class Observation:
    """An impression (`slate_id` and the `items` that were on the screen) or a search (`words`).

    user_id: None for an impression by nobody known: its slate knows who asked.
    """

    event_id: EventId
    user_id: UserId | None
    type: str
    at: datetime
    slate_id: str | None = None
    items: tuple[ItemId, ...] = ()
    words: str = ""


Row = tuple[Any, ...]
_COLUMNS = "event_id, user_id, type, at, slate_id, items, words, received_at"
_INSERT = f"INSERT INTO observations ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
_FIND = f"SELECT {_COLUMNS} FROM observations WHERE event_id = ?"  # noqa: S608


def to_row(observation: Observation, user_id: UserId | None, received_at: int) -> Row:
    """user_id: who it is kept under, which is another where the one told was merged."""
    items = json.dumps(observation.items, ensure_ascii=False) if observation.items else None
    return (
        observation.event_id,
        user_id,
        observation.type,
        to_micros(observation.at),
        observation.slate_id,
        items,
        observation.words or None,
        received_at,
    )


def insert(connection: sqlite3.Connection, row: Row) -> bool:
    """False where the id is already there."""
    return connection.execute(_INSERT, row).rowcount > 0


def is_same(connection: sqlite3.Connection, row: Row) -> bool:
    """Whether what is kept under the row's id is what the row says, its own time of receipt aside."""
    kept = connection.execute(_FIND, row[:1]).fetchone()
    return kept is not None and _told(kept) == _told(row)


def _told(row: Row) -> Row:
    *told, received_at = row
    at = told.pop(3)
    return (*told, None if at == received_at else at)
