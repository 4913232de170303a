"""The declared properties of items: a type each, and every item that is written has to fit.

What is not declared may hold anything, and null fits every type: a property that an item does not have.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from app.domain import Item
from app.errors import PropertyMisfit
from app.storage.database import Database
from app.storage.timestamps import to_micros


class PropertyType(StrEnum):
    """What a property may hold. time: text in ISO 8601, a date or a date and time. geo: [latitude, longitude]."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    GEO = "geo"
    LIST = "list"


PropertyTypes = Mapping[str, PropertyType]


class PropertySchema:
    """The declared types, in a `Database`: what one process declares holds in all of them at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> dict[str, PropertyType]:
        """Empty before anything is declared. 10 us."""
        rows = self._database.read("SELECT body FROM property_schemas ORDER BY version DESC LIMIT 1")
        return {name: PropertyType(kind) for name, kind in json.loads(rows[0][0]).items()} if rows else {}

    async def replace(self, types: PropertyTypes) -> None:
        """From now on items are held against these. Items already there stay as they are."""
        row = (json.dumps(types, ensure_ascii=False, sort_keys=True), to_micros(datetime.now(UTC)))
        await self._database.write(lambda connection: _insert(connection, row))


def check_properties(types: PropertyTypes, item: Item) -> None:
    """Raises PropertyMisfit, which names every property that does not fit and what it should have been."""
    misfits = misfits_of(types, item)
    if misfits:
        told = "; ".join(f"{name!r} should be {_FORMS[types[name]]}" for name in misfits)
        raise PropertyMisfit(f"item {item.item_id!r}: property {told}. GET /v1/items/schema has the declared types.")


def misfits_of(types: PropertyTypes, item: Item) -> list[str]:
    """Names of the item's properties that do not fit."""
    return [
        name
        for name, value in item.properties.items()
        if name in types and value is not None and not _FITS[types[name]](value)
    ]


def _insert(connection: sqlite3.Connection, row: tuple[str, int]) -> None:
    connection.execute("INSERT INTO property_schemas (body, at) VALUES (?, ?)", row)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_geo(value: Any) -> bool:
    if not (isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))):
        return False
    latitude, longitude = value
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


_FITS: dict[PropertyType, Callable[[Any], bool]] = {
    PropertyType.STRING: lambda value: isinstance(value, str),
    PropertyType.NUMBER: _is_number,
    PropertyType.BOOLEAN: lambda value: isinstance(value, bool),
    PropertyType.TIME: _is_time,
    PropertyType.GEO: _is_geo,
    PropertyType.LIST: lambda value: isinstance(value, list | tuple),
}
_FORMS = {
    PropertyType.STRING: "a string",
    PropertyType.NUMBER: "a number",
    PropertyType.BOOLEAN: "true or false",
    PropertyType.TIME: "a time in ISO 8601, such as 2025-06-01T20:30:00Z",
    PropertyType.GEO: "[latitude, longitude] in degrees",
    PropertyType.LIST: "a list",
}
