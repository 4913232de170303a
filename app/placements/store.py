"""The durable placements. Every change is a new version; none is ever changed or dropped, and the newest counts."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.errors import PlacementExists, UnknownPlacement
from app.placements.placement import Placement, placement_from_json, placement_to_json
from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class PlacementVersion:
    """One version of a placement. version: from 1. placement: None for the version that deleted it.

    created: whether the write that made this version found none; False of what is read.
    """

    name: str
    version: int
    changed_at: datetime
    placement: Placement | None
    seq: int
    created: bool = False


class PlacementStore:
    """Placements in a `Database`. As in the catalogue, each change gets the next `seq` within its transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, placement: Placement, *, create: bool = False) -> PlacementVersion:
        """Add a version. create: raise PlacementExists where the placement is there already."""
        row = (placement.name, placement_to_json(placement), to_micros(datetime.now(UTC)))
        there, written = await self._database.write(lambda connection: _append(connection, row, create=create))
        return replace(_to_version(written), created=not there)

    async def delete(self, name: str) -> None:
        """Add the version that says it is gone. Raises UnknownPlacement."""
        row = (name, None, to_micros(datetime.now(UTC)))
        await self._database.write(lambda connection: _append(connection, row))

    async def get(self, name: str, version: int | None = None) -> PlacementVersion:
        """The newest version, or the one asked for. Raises UnknownPlacement, also for a placement that is gone."""
        rows = self._database.read(
            f"{_SELECT} WHERE name = ? AND version = coalesce(?, {_NEWEST})", (name, version, name)
        )
        if not rows or rows[0][3] is None:
            raise unknown_placement(name)
        return _to_version(rows[0])

    async def versions(self, name: str) -> list[PlacementVersion]:
        """All of them, newest first, those of its deletion too. Raises UnknownPlacement where there never was one."""
        rows = self._database.read(f"{_SELECT} WHERE name = ? ORDER BY version DESC", (name,))
        if not rows:
            raise unknown_placement(name)
        return [_to_version(row) for row in rows]

    async def changes_since(self, seq: int) -> Sequence[PlacementVersion]:
        """Versions after `seq`, oldest first."""
        return [_to_version(row) for row in self._database.read(f"{_SELECT} WHERE seq > ? ORDER BY seq", (seq,))]


_SELECT = "SELECT name, version, changed_at, body, seq FROM placements"
_NEWEST = "(SELECT max(version) FROM placements WHERE name = ?)"
_INSERT = "INSERT INTO placements (name, version, changed_at, body) VALUES (?, ?, ?, ?)"
Row = tuple[Any, ...]


def unknown_placement(name: str) -> UnknownPlacement:
    return UnknownPlacement(f"there is no placement {name!r}: GET /v1/placements lists them, PUT it first")


def _append(connection: sqlite3.Connection, row: Row, *, create: bool = False) -> tuple[bool, Row]:
    """Whether the placement was there, and the row written."""
    name, body, changed_at = row
    newest = connection.execute(f"{_SELECT} WHERE name = ? ORDER BY version DESC LIMIT 1", (name,)).fetchone()
    there = newest is not None and newest[3] is not None
    if there and create:
        raise PlacementExists(f"the placement {name!r} is there already: PUT it to change it, or take another name")
    if not there and body is None:
        raise unknown_placement(name)
    version = 1 if newest is None else newest[1] + 1
    seq = connection.execute(_INSERT, (name, version, changed_at, body)).lastrowid
    return there, (name, version, changed_at, body, seq)


def _to_version(row: Row) -> PlacementVersion:
    name, version, changed_at, body, seq = row
    placement = None if body is None else placement_from_json(body)
    return PlacementVersion(name, version, from_micros(changed_at), placement, seq)
