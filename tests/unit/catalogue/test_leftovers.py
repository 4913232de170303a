import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.catalogue.leftovers import Leftovers, count_leftovers
from app.catalogue.store import CatalogueStore
from app.domain import Item, ItemId
from app.storage.database import open_database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with twenty films of a bundle, one of them deleted, and an item that a client put."""

    async def fill() -> None:
        database = open_database(f"sqlite:///{tmp_path / 'store.sqlite3'}")
        store = CatalogueStore(database)
        await store.seed([Item(ItemId(f"film-{n}"), f"Film {n}") for n in range(20)])
        await store.put(Item(ItemId("own"), "Own"), None, None)
        await store.delete(ItemId("film-0"))
        await database.close()

    asyncio.run(fill())
    return tmp_path / "store.sqlite3"


def test_what_came_with_others_is_counted_and_what_was_put_or_deleted_is_not(file: Path) -> None:
    left = count_leftovers(file, [ItemId("book-1")])
    assert left == Leftovers(n=19, n_served=20)
    assert left.are_many


def test_a_few_items_that_a_newer_training_dropped_are_not_many(file: Path) -> None:
    left = count_leftovers(file, [ItemId(f"film-{n}") for n in range(2, 20)])
    assert left == Leftovers(n=1, n_served=20)
    assert not left.are_many


def test_a_store_that_is_not_there_or_older_has_none_and_is_left_as_it_is(file: Path, tmp_path: Path) -> None:
    assert count_leftovers(tmp_path / "none.sqlite3", []) == Leftovers(0, 0)
    assert not (tmp_path / "none.sqlite3").exists()
    with closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA user_version = 1")
    assert count_leftovers(file, []) == Leftovers(0, 0)
