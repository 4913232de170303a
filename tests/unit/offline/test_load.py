from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tiny import N_USERS, silent, tiny_events, tiny_items

from app.catalogue.store import CatalogueStore
from app.domain import ItemId, UserId
from app.history.store import HistoryStore
from app.history.worth import weigh
from app.offline import load
from app.offline.clean import clean
from app.offline.columns import ColumnMapping
from app.offline.dataset import read_dataset
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
    devices = rows["context_device"].to_list()
    assert [each.features for each in history.events] == [{"device": device} if device else {} for device in devices]
    assert set(devices) == {"phone", "tv", None}


async def test_an_event_weighs_in_serving_what_it_weighed_in_training(
    tmp_path: Path, url: str, database: Database
) -> None:
    (tmp_path / "events.csv").write_text(
        "user_id,item_id,at,type,dwell_s,completion\n"
        "u1,a,2024-01-01T10:00:00Z,play,,0.25\n"
        "u1,b,2024-01-01T11:00:00Z,play,30,\n"
        "u1,a,2024-01-01T12:00:00Z,play,,\n"
    )
    (tmp_path / "items.csv").write_text("item_id,title\na,Alien\nb,Brazil\n")
    clean(tmp_path / "events.csv", tmp_path / "items.csv", ColumnMapping(), tmp_path / "plays", "plays")
    await load_dataset(tmp_path / "plays", "plays", url, silent())
    stored = (await HistoryStore(database).last(UserId("u1"), 10)).events
    assert [(event.dwell_s, event.completion) for event in stored] == [(None, 0.25), (30.0, None), (None, None)]
    weights = [weigh(event) for event in stored]
    assert weights == pytest.approx(read_dataset(tmp_path / "plays").weights.tolist())
    assert len(set(weights)) == 3


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
