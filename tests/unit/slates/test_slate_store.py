import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain import Event, EventId, ItemId, UserId
from app.errors import StoreUnavailable, UnknownSlate
from app.history.store import HistoryStore
from app.slates.record import ServedItem, SlateRecord
from app.slates.store import BATCH, SlateStore
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)


def record(slate_id: str, **more: Any) -> SlateRecord:
    items = (ServedItem(ItemId("a"), 1.5, 1), ServedItem(ItemId("b"), 1.25, 2, 0.4))
    return SlateRecord(slate_id, more.pop("served_at", NOON), "bundle-1", items, **more)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/slates.sqlite3")
    yield database
    await database.close()


async def test_a_slate_is_found_at_once_and_again_from_disk_with_all_it_held(database: Database) -> None:
    store, other_process = SlateStore(database), SlateStore(database)
    whole = record(
        "s1",
        user_id=UserId("u1"),
        placement="home",
        arm="b",
        request={"k": 2, "words": "größe"},
        served_by={"rung": "fresh", "profile_age_s": None},
    )

    assert store.keep(whole)
    assert await store.get("s1") == whole
    with pytest.raises(UnknownSlate):
        await other_process.get("s1")
    await store.flush()
    assert await other_process.get("s1") == whole
    assert await store.get("s1") == whole


async def test_a_slate_that_another_process_is_about_to_write_is_found(database: Database) -> None:
    store, other_process = SlateStore(database), SlateStore(database)
    background = asyncio.create_task(store.write_behind())
    store.keep(record("s1"))
    assert await other_process.get("s1") == record("s1")
    background.cancel()


async def test_an_event_is_told_its_slates_context_whichever_of_them_was_on_disk_first(database: Database) -> None:
    store, histories = SlateStore(database), HistoryStore(database)
    store.keep(record("s1", request={"context": {"features": {"device": "tv"}}}))
    store.keep(record("s2"))
    events = [
        Event(EventId(f"{n}"), UserId("u1"), ItemId("a"), "click", NOON, slate_id=slate_id)
        for n, slate_id in enumerate(("s1", "s1", "s2", "forgotten", None))
    ]
    await histories.append(events[:1])
    await store.flush()
    await histories.append(events[1:])

    told = [context for (context,) in database.read("SELECT slate_context FROM events ORDER BY seq")]

    assert told == ['{"device":"tv"}', '{"device":"tv"}', None, None, None]
    await store.prune(days=1)
    assert (await histories.append(events)).duplicates == ("0", "1", "2", "3", "4")


async def test_keeping_does_not_wait_for_the_disk_and_the_background_writes(database: Database) -> None:
    store, other_process = SlateStore(database), SlateStore(database)
    background = asyncio.create_task(store.write_behind())
    for i in range(2 * BATCH + 1):
        store.keep(record(f"s{i}"))

    async with asyncio.timeout(10):
        while store._pending:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)

    background.cancel()
    assert (await other_process.get(f"s{2 * BATCH}")).items[1].propensity == 0.4


async def test_a_full_log_drops_the_new_and_says_so(database: Database) -> None:
    store = SlateStore(database, max_pending=1)

    assert store.keep(record("s1"))
    assert not store.keep(record("s2"))
    with pytest.raises(UnknownSlate, match="s2"):
        await store.get("s2")


async def test_what_the_disk_refuses_is_written_the_next_time(database: Database, tmp_path: Path) -> None:
    closed = open_database(f"sqlite:///{tmp_path}/closed.sqlite3")
    await closed.close()
    store = SlateStore(closed)
    store.keep(record("s1"))
    with pytest.raises(StoreUnavailable):
        await store.flush()

    store._database = database
    await store.flush()
    assert (await SlateStore(database).get("s1")).slate_id == "s1"


async def test_slates_past_their_days_are_forgotten_and_the_others_kept(database: Database) -> None:
    store = SlateStore(database)
    store.keep(record("old", served_at=NOON - timedelta(days=8)))
    store.keep(record("young", served_at=NOON - timedelta(days=6)))
    await store.flush()

    assert await store.prune(days=7, now=NOON) == 1
    assert (await store.get("young")).slate_id == "young"
    with pytest.raises(UnknownSlate):
        await store.get("old")
