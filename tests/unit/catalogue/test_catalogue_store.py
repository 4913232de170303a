import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from app.catalogue.store import CatalogueChange, CatalogueStore
from app.domain import Item, ItemId
from app.errors import UnknownItem
from app.storage.database import open_database

pytestmark = pytest.mark.anyio

HEAT = Item(ItemId("1"), "Heat", ("Crime", "Thriller"), "Two men and a city.", {"year": 1995, "tags": ["heist", None]})
UP = Item(ItemId("2"), "Up")
VECTOR = np.array([0.1, -2.5, 3e-8], dtype=np.float32)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CatalogueStore]:
    database = open_database(f"sqlite:///{tmp_path}/penchant.sqlite3")
    yield CatalogueStore(database)
    await database.close()


def told(changes: list[CatalogueChange]) -> list[tuple[int, str, str | None]]:
    return [(change.seq, change.item_id, change.item.title if change.item else None) for change in changes]


async def test_an_item_put_is_got_as_it_was(store: CatalogueStore) -> None:
    assert await store.put(HEAT, VECTOR, "v1")

    assert await store.get(ItemId("1")) == HEAT


async def test_replacing_an_item_creates_nothing(store: CatalogueStore) -> None:
    await store.put(Item(ItemId("1"), "Heet"), None, None)

    assert not await store.put(HEAT, VECTOR, "v1")
    assert await store.get(ItemId("1")) == HEAT
    assert await store.count() == 1


async def test_the_feed_carries_items_and_the_very_same_vectors(store: CatalogueStore) -> None:
    await store.put(HEAT, VECTOR, "v1")
    await store.put(UP, None, None)

    heat, up = await store.changes_since(0, limit=10)

    assert heat.vector is not None
    assert heat.vector.dtype == np.float32
    assert heat.vector.tobytes() == VECTOR.tobytes()
    assert (heat.seq, heat.item, heat.vector_version) == (1, HEAT, "v1")
    assert up == CatalogueChange(2, ItemId("2"), UP, None, None)


async def test_the_feed_goes_on_where_it_was_left_and_ends(store: CatalogueStore) -> None:
    for i in range(5):
        await store.put(Item(ItemId(str(i)), f"Film {i}"), None, None)

    first = await store.changes_since(0, limit=3)
    second = await store.changes_since(first[-1].seq, limit=3)

    assert [change.item_id for change in first + second] == ["0", "1", "2", "3", "4"]
    assert await store.changes_since(second[-1].seq, limit=3) == []
    assert await store.last_seq() == second[-1].seq


async def test_an_item_changed_twice_is_told_of_once_as_it_is(store: CatalogueStore) -> None:
    await store.put(HEAT, None, None)
    await store.put(UP, None, None)
    await store.put(Item(ItemId("1"), "Heat 2"), None, None)

    assert told(await store.changes_since(0, limit=10)) == [(2, "2", "Up"), (3, "1", "Heat 2")]


async def test_an_item_keeps_the_time_of_its_first_put_until_it_is_deleted(store: CatalogueStore) -> None:
    async def created_at() -> datetime | None:
        return (await store.changes_since(0, 9))[-1].created_at

    await store.seed([UP])
    assert await created_at() is None
    await store.put(HEAT, None, None)
    first = await created_at()
    assert first is not None
    await store.put(HEAT, VECTOR, "v1")
    assert await created_at() == first
    await store.delete(HEAT.item_id)
    await store.put(HEAT, None, None)
    again = await created_at()
    assert again is not None
    assert again > first


async def test_a_deleted_item_is_gone_and_the_feed_tells_of_it(store: CatalogueStore) -> None:
    await store.put(HEAT, VECTOR, "v1")

    await store.delete(ItemId("1"))

    assert await store.changes_since(1, limit=10) == [CatalogueChange(2, ItemId("1"), None, None, None)]
    assert await store.count() == 0
    with pytest.raises(UnknownItem):
        await store.get(ItemId("1"))


async def test_what_is_not_there_cannot_be_deleted(store: CatalogueStore) -> None:
    await store.put(HEAT, None, None)
    await store.delete(ItemId("1"))

    for item_id in ("1", "never"):
        with pytest.raises(UnknownItem, match=item_id):
            await store.delete(ItemId(item_id))
    assert await store.last_seq() == 2


async def test_a_deleted_item_can_be_created_anew(store: CatalogueStore) -> None:
    await store.put(HEAT, None, None)
    await store.delete(ItemId("1"))

    assert await store.put(HEAT, None, None)
    assert await store.get(ItemId("1")) == HEAT
    assert told(await store.changes_since(2, limit=10)) == [(3, "1", "Heat")]


async def test_seeding_inserts_only_what_was_never_seen(store: CatalogueStore) -> None:
    edited = Item(ItemId("2"), "Up, edited")
    await store.put(HEAT, None, None)
    await store.delete(ItemId("1"))
    await store.put(edited, None, None)
    seen = await store.last_seq()

    inserted = await store.seed([HEAT, UP, Item(ItemId("3"), "Alien"), Item(ItemId("4"), "Brazil")])

    assert inserted == 2
    assert [change.item_id for change in await store.changes_since(seen, limit=10)] == ["3", "4"]
    assert await store.get(ItemId("2")) == edited
    assert await store.count() == 3
    assert await store.seed([HEAT, UP]) == 0


async def test_an_empty_catalogue_has_no_changes(store: CatalogueStore) -> None:
    assert await store.changes_since(0, limit=10) == []
    assert (await store.last_seq(), await store.count()) == (0, 0)


async def test_a_reader_that_follows_misses_no_change_of_two_writers(tmp_path: Path, store: CatalogueStore) -> None:
    """Two connections that write, as two processes would, while the feed is followed."""
    other_database = open_database(f"sqlite:///{tmp_path}/penchant.sqlite3")
    other = CatalogueStore(other_database)
    followed: list[str] = []

    async def write(to: CatalogueStore, name: str) -> None:
        for i in range(100):
            await to.put(Item(ItemId(f"{name}{i}"), "A film"), None, None)

    async def follow(until: int) -> None:
        seq = 0
        while len(followed) < until:
            changes = await store.changes_since(seq, limit=7)
            followed.extend(change.item_id for change in changes)
            seq = changes[-1].seq if changes else seq
            await asyncio.sleep(0)

    async with asyncio.timeout(60):
        await asyncio.gather(write(store, "a"), write(other, "b"), follow(until=200))
    await other_database.close()

    assert sorted(followed) == sorted(f"{name}{i}" for name in "ab" for i in range(100))
