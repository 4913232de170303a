from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tiny import N_USERS, silent, tiny_events, tiny_items

from app.catalogue.store import CatalogueStore
from app.domain import ItemId, UserId
from app.history.store import HistoryStore
from app.offline import load
from app.offline.load import load_dataset
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

TABLE = tiny_events()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'penchant.sqlite3'}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = open_database(url)
    yield database
    await database.close()


async def test_every_item_and_event_is_stored(tiny_dataset_folder: Path, url: str, database: Database) -> None:
    assert await load_dataset(tiny_dataset_folder, "tiny", url, silent()) == (60, len(TABLE))
    assert await CatalogueStore(database).get(ItemId("i7")) == tiny_items()[7]
    histories = HistoryStore(database)
    assert all([await histories.knows(UserId(f"u{n}")) for n in range(N_USERS)])


async def test_events_are_stored_as_they_were_cleaned(tiny_dataset_folder: Path, url: str, database: Database) -> None:
    await load_dataset(tiny_dataset_folder, "tiny", url, silent())
    history = await HistoryStore(database).last(UserId("u3"), 100)
    rows = TABLE.filter(TABLE["user_id"] == "u3").sort("at")
    assert [each.item_id for each in history.events] == rows["item_id"].to_list()
    assert [each.at for each in history.events] == rows["at"].to_list()
    assert [(each.type, each.value) for each in history.events] == rows.select("type", "value").rows()


async def test_loading_twice_changes_nothing(tiny_dataset_folder: Path, url: str, database: Database) -> None:
    await load_dataset(tiny_dataset_folder, "tiny", url, silent())
    watermark = await HistoryStore(database).watermark(UserId("u3"))
    assert await load_dataset(tiny_dataset_folder, "tiny", url, silent()) == (0, 0)
    assert await HistoryStore(database).watermark(UserId("u3")) == watermark


async def test_a_load_cut_short_goes_on(
    tiny_dataset_folder: Path, url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "BATCH", 100)
    append, calls = HistoryStore.append, []

    async def die_at_the_third(self: HistoryStore, events: object) -> object:
        calls.append(events)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return await append(self, events)  # type: ignore[arg-type]

    monkeypatch.setattr(HistoryStore, "append", die_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        await load_dataset(tiny_dataset_folder, "tiny", url, silent())
    assert await load_dataset(tiny_dataset_folder, "tiny", url, silent()) == (0, len(TABLE) - 200)


async def test_what_was_deleted_meanwhile_stays_deleted(
    tiny_dataset_folder: Path, url: str, database: Database
) -> None:
    await load_dataset(tiny_dataset_folder, "tiny", url, silent())
    catalogue = CatalogueStore(database)
    await catalogue.delete(ItemId("i7"))
    await load_dataset(tiny_dataset_folder, "tiny", url, silent())
    assert await catalogue.count() == 59
