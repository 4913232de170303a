"""From the live store to a data set and back: nothing that training reads is lost on the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from app.catalogue.store import CatalogueStore
from app.domain import Event, EventId, Item, ItemId, UserId
from app.history.store import HistoryStore
from app.history.worth import weigh
from app.offline import export_events as export_module
from app.offline.clean import clean
from app.offline.columns import API_NAMES
from app.offline.dataset import read_dataset
from app.offline.export_events import export_events
from app.slates.record import SlateRecord
from app.slates.store import SlateStore
from app.storage.database import open_database

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ITEMS = [
    Item(ItemId("a"), "Alpha", ("Drama", "War"), "A film", {"year": 1999, "tags": ["x"]}),
    Item(ItemId("b"), "Beta", properties={"year": 2001}, hidden=True),
]


def did(number: int, user_id: str, item_id: str, event_type: str) -> Event:
    at = NOON + timedelta(minutes=number, microseconds=number)
    return Event(EventId(f"e{number}"), UserId(user_id), ItemId(item_id), event_type, at)


EVENTS = [
    did(0, "ada", "a", "view"),
    replace(did(1, "ada", "b", "rating"), value=4.0, features={"place": "home", "device": "tv"}),
    replace(did(2, "ben", "a", "play"), completion=0.25, slate_id="s1"),
    replace(did(3, "ben", "b", "play"), dwell_s=60.0, slate_id="s1", features={"device": "phone"}),
    did(4, "ben", "a", "hide"),
]
SLATE = SlateRecord("s1", NOON, "bundle-1", (), request={"context": {"features": {"device": "radio"}}})


@pytest.fixture
async def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/penchant.sqlite3"
    database = open_database(url)
    await CatalogueStore(database).seed(ITEMS)
    slates = SlateStore(database)
    slates.keep(SLATE)
    await slates.flush()
    await HistoryStore(database).append(EVENTS)
    await database.close()
    return url


async def test_the_log_is_written_as_it_is_kept(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "PAGE", 2)

    counts = await export_events(url, tmp_path / "out/events.parquet", None)

    table = pl.read_parquet(tmp_path / "out/events.parquet")
    assert counts == (5, 0)
    assert table["event_id"].to_list() == ["e0", "e1", "e2", "e3", "e4"]
    assert table["at"].to_list() == [event.at for event in EVENTS]
    assert table.row(2, named=True)["completion"] == 0.25
    assert table.row(2, named=True)["slate_id"] == "s1"


async def test_what_is_exported_is_cleaned_to_the_same_events_with_the_same_weights(url: str, tmp_path: Path) -> None:
    events, items = tmp_path / "events.parquet", tmp_path / "items.jsonl"
    assert await export_events(url, events, items) == (5, 2)

    clean(events, items, API_NAMES, tmp_path / "set", "live", now=NOON + timedelta(days=1))

    dataset = read_dataset(tmp_path / "set")
    weights = [weigh(e) for e in EVENTS]
    assert dataset.user_ids == ("ada", "ben")
    assert [dataset.items[row].item_id for row in dataset.rows] == [event.item_id for event in EVENTS]
    assert dataset.at_s.tolist() == [int(event.at.timestamp()) for event in EVENTS]
    assert dataset.weights == pytest.approx(np.array(weights, dtype=np.float32))
    assert [(item.title, item.categories) for item in dataset.items] == [("Alpha", ("Drama", "War")), ("Beta", ())]
    assert dict(dataset.items[0].properties) == {"year": 1999, "tags": ["x"]}
    told = {feature: values.tolist() for feature, values in dataset.context.items()}
    assert told == {"device": ["", "tv", "radio", "phone", ""], "place": ["", "home", "", "", ""]}


async def test_an_empty_log_is_an_empty_table(tmp_path: Path) -> None:
    assert await export_events(f"sqlite:///{tmp_path}/none.sqlite3", tmp_path / "e.parquet", None) == (0, 0)
    assert pl.read_parquet(tmp_path / "e.parquet").columns == list(export_module.SCHEMA)
