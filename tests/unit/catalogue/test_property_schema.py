from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.catalogue.property_schema import PropertySchema, PropertyType, check_properties, misfits_of
from app.domain import Item, ItemId
from app.errors import PropertyMisfit
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

TYPES = {kind.value: kind for kind in PropertyType}


def item(**properties: Any) -> Item:
    return Item(ItemId("i"), "a title", properties=properties)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/penchant.sqlite3")
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("kind", "fits", "does_not"),
    [
        ("string", ["", "x"], [1, True, ["x"]]),
        ("number", [0, -1.5], ["1", True, [1]]),
        ("boolean", [True, False], [0, "true"]),
        (
            "time",
            ["2025-06-01", "2025-06-01T20:30:00Z", "2025-06-01T20:30:00+02:00"],
            ["soon", 1748809800, "2025-13-01"],
        ),
        ("geo", [[48.9, 2.35], [-90, 180], (0, 0.5)], [[91, 0], [0, 181], [1], [1, 2, 3], ["1", "2"], "48.9,2.35", 1]),
        ("list", [[], ["a", 1]], ["a", 1]),
    ],
)
async def test_each_type_takes_what_it_says_and_null(kind: str, fits: list[Any], does_not: list[Any]) -> None:
    for value in [*fits, None]:
        assert misfits_of(TYPES, item(**{kind: value})) == [], value
    for value in does_not:
        assert misfits_of(TYPES, item(**{kind: value})) == [kind], value


async def test_a_refusal_names_every_property_and_what_it_should_be() -> None:
    check_properties(TYPES, item(undeclared=object()))
    with pytest.raises(PropertyMisfit, match=r"'number' should be a number; 'geo' should be \[latitude, longitude\]"):
        check_properties(TYPES, item(number="3", geo=[100, 0], string="fine"))


async def test_the_newest_declaration_holds_in_every_process(database: Database) -> None:
    mine, theirs = PropertySchema(database), PropertySchema(database)
    assert await mine.read() == {}
    await mine.replace({"year": PropertyType.NUMBER})
    await theirs.replace({"place": PropertyType.GEO})
    assert await mine.read() == {"place": PropertyType.GEO}
