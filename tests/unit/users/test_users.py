"""A user as a whole over the real tables: merging, exporting, erasing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.domain import Event, EventId, InterestVectors, ItemId, UserId
from app.errors import CacheUnavailable, MergeRefused
from app.history.observations import Observation
from app.history.store import HistoryStore
from app.interests.cache import MemoryInterestCache
from app.slates.record import ServedItem, SlateRecord
from app.slates.store import SlateStore
from app.storage.database import Database, open_database
from app.users.digest import user_digest
from app.users.erasure import Erasure
from app.users.export import UserExporter
from app.users.merge import UserMerger
from app.users.tables import USER_TABLES

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ADA, BEN, VISITOR = UserId("ada"), UserId("ben"), UserId("visitor")


def event(event_id: str, user_id: UserId, item_id: str = "film", event_type: str = "view", minute: int = 0) -> Event:
    return Event(EventId(event_id), user_id, ItemId(item_id), event_type, NOON + timedelta(minutes=minute))


def slate(slate_id: str, user_id: UserId | None, served_at: datetime = NOON) -> SlateRecord:
    return SlateRecord(slate_id, served_at, "bundle-1", (ServedItem(ItemId("film"), 1.0, 1),), user_id)


def vectors() -> InterestVectors:
    return InterestVectors(np.ones((1, 4), dtype=np.float32), 1, NOON)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/penchant.sqlite3")
    yield database
    await database.close()


@pytest.fixture
def histories(database: Database) -> HistoryStore:
    return HistoryStore(database)


def rows_left(database: Database, user_id: UserId) -> int:
    sql = "SELECT count(*) FROM {} WHERE {} = ?"
    return sum(database.read(sql.format(held.table, held.column), (user_id,))[0][0] for held in USER_TABLES)


async def test_every_table_that_names_a_user_is_registered(database: Database) -> None:
    """A new store with a user_id column has to say so in app/users/tables.py, or an erasure would pass it by."""
    tables = [name for (name,) in database.read("SELECT name FROM sqlite_master WHERE type = 'table'")]
    named = {
        (table, column)
        for table in tables
        for _, column, *_ in database.read(f"PRAGMA table_info({table})")
        if column.endswith("user_id")
    }

    assert named == {(held.table, held.column) for held in USER_TABLES}
    assert len({held.store for held in USER_TABLES}) == len(USER_TABLES)


async def test_an_anonymous_sessions_events_become_the_users(database: Database, histories: HistoryStore) -> None:
    await histories.append([event("a", ADA, minute=2), event("v1", VISITOR, minute=1), event("v2", VISITOR, minute=3)])
    before = await histories.watermark(ADA)

    moved = await UserMerger(database).merge(VISITOR, ADA)

    history = await histories.last(ADA, 50)
    assert moved == {"events": 2, "impressions_and_searches": 0, "slates": 0, "interest_edits": 0}
    assert [event.event_id for event in history.events] == ["v1", "a", "v2"]
    assert history.watermark > before
    assert not await histories.knows(VISITOR)
    assert [seq for (seq,) in database.read("SELECT seq FROM events ORDER BY seq")] == [1, 2, 3]


async def test_merging_again_moves_nothing_and_changes_nothing(database: Database, histories: HistoryStore) -> None:
    await histories.append([event("v1", VISITOR)])
    merger = UserMerger(database)
    await merger.merge(VISITOR, ADA)
    before = await histories.last(ADA, 50)

    assert sum((await merger.merge(VISITOR, ADA)).values()) == 0
    assert await histories.last(ADA, 50) == before


async def test_what_comes_late_under_the_old_id_is_the_users_and_a_retry_counts_once(
    database: Database, histories: HistoryStore
) -> None:
    await histories.append([event("v1", VISITOR)])
    await UserMerger(database).merge(VISITOR, ADA)

    late = await histories.append([event("v1", VISITOR), event("v2", VISITOR, minute=5)])

    assert (late.stored, late.duplicates, late.conflicts) == (("v2",), ("v1",), ())
    assert [event.event_id for event in (await histories.last(ADA, 50)).events] == ["v1", "v2"]


async def test_a_chain_of_merges_ends_at_the_last_one(database: Database, histories: HistoryStore) -> None:
    merger = UserMerger(database)
    await merger.merge(VISITOR, ADA)
    await merger.merge(ADA, BEN)

    await histories.append([event("v1", VISITOR), event("a1", ADA)])

    assert len((await histories.last(BEN, 50)).events) == 2
    with pytest.raises(MergeRefused):
        await merger.merge(BEN, VISITOR)
    with pytest.raises(MergeRefused):
        await merger.merge(BEN, BEN)


async def test_a_watermark_after_a_merge_was_never_anothers(database: Database, histories: HistoryStore) -> None:
    await histories.append([event("v1", VISITOR), event("a1", ADA)])
    await UserMerger(database).merge(VISITOR, ADA)
    marked = await histories.watermark(ADA)

    await histories.append([event("b1", BEN)])

    assert await histories.watermark(BEN) > marked


async def fill(database: Database, user_id: UserId, name: str) -> None:
    seen = Observation(EventId(f"{name}-o"), user_id, "impression", NOON, "s", (ItemId("film"),))
    await HistoryStore(database).append([event(f"{name}-e", user_id)], observations=[seen])
    slates = SlateStore(database)
    slates.keep(slate(f"{name}-s", user_id))
    await slates.flush()


async def test_erasure_leaves_nothing_in_any_table_and_the_receipt_counts_it(database: Database) -> None:
    for user_id, name in ((ADA, "a"), (VISITOR, "v"), (BEN, "b")):
        await fill(database, user_id, name)
    await UserMerger(database).merge(VISITOR, ADA)
    cache = MemoryInterestCache(10, 60)
    await cache.put(ADA, vectors())

    erasure = Erasure(database, cache, [cache.forget])
    receipt = await erasure.erase(ADA)

    assert receipt.rows == {
        "events": 2,
        "impressions_and_searches": 2,
        "slates": 2,
        "interest_edits": 0,
        "merged_ids": 1,
        "merged_into": 0,
        "history_marks": 1,
        "interest_cache": 1,
    }
    assert receipt.incomplete == {}
    assert (rows_left(database, ADA), rows_left(database, VISITOR)) == (0, 0)
    assert rows_left(database, BEN) == 3
    assert set((await erasure.erase(ADA)).rows.values()) == {0}


async def test_other_processes_forget_the_user_too(database: Database) -> None:
    mine, theirs = MemoryInterestCache(10, 60), MemoryInterestCache(10, 60)
    slates = SlateStore(database)
    other_process = Erasure(database, theirs, [theirs.forget, slates.forget])
    for cache in (mine, theirs):
        await cache.put(ADA, vectors())
        await cache.put(BEN, vectors())
    slates.keep(slate("waiting", ADA))
    slates.keep(slate("of-ben", BEN))

    await Erasure(database, mine, [mine.forget]).erase(ADA)
    other_process.catch_up()

    assert await theirs.get(ADA) is None
    assert await theirs.get(BEN) is not None
    assert set(slates._pending) == {"of-ben"}


async def test_a_second_erasure_in_another_process_takes_nothing_more(database: Database) -> None:
    mine, theirs = MemoryInterestCache(10, 60), MemoryInterestCache(10, 60)
    other_process = Erasure(database, theirs, [theirs.forget])
    for cache in (mine, theirs):
        await cache.put(ADA, vectors())

    await Erasure(database, mine, [mine.forget]).erase(ADA)

    assert set((await other_process.erase(ADA)).rows.values()) == {0}


async def test_a_slate_on_its_way_to_disk_does_not_outlive_the_user(database: Database) -> None:
    slates = SlateStore(database)
    slates.keep(slate("before", ADA))
    slates.keep(slate("of-ben", BEN))

    await Erasure(database, MemoryInterestCache(10, 60), []).erase(ADA)
    slates.keep(slate("after", ADA, served_at=datetime.now(UTC) + timedelta(seconds=1)))
    await slates.flush()

    assert [row for (row,) in database.read("SELECT slate_id FROM slates ORDER BY 1")] == ["after", "of-ben"]


async def test_a_cache_that_does_not_answer_is_named_in_the_receipt(database: Database) -> None:
    class Gone:
        async def delete(self, user_id: UserId) -> int:
            raise CacheUnavailable("gone")

    receipt = await Erasure(database, Gone(), []).erase(ADA)

    assert receipt.incomplete.keys() == {"interest_cache"}
    assert "interest_cache" not in receipt.rows


async def test_the_notice_of_an_erasure_does_not_hold_the_id(database: Database) -> None:
    await Erasure(database, MemoryInterestCache(10, 60), []).erase(ADA)

    ((digest,),) = database.read("SELECT user_digest FROM erasures")
    assert digest == user_digest(ADA) != ADA


async def exported(database: Database, user_id: UserId) -> list[dict[str, Any]]:
    return [line async for line in UserExporter(database).export(user_id)]


async def test_the_export_has_every_row_of_every_store(database: Database) -> None:
    await fill(database, ADA, "a")
    await fill(database, BEN, "b")
    many = [replace(event(f"e{i:04}", ADA, minute=i), features={"device": "tv"}) for i in range(1_200)]
    await HistoryStore(database).append(many)

    lines = await exported(database, ADA)

    assert len(lines) == 1_203
    assert {line["store"] for line in lines} == {"events", "impressions_and_searches", "slates"}
    assert all(line["row"]["user_id"] == "ada" for line in lines)
    (shown,) = (line["row"] for line in lines if line["store"] == "slates")
    assert (shown["served_at"], shown["items"]) == ("2026-06-01T12:00:00+00:00", [["film", 1.0, 1, 1.0]])
    assert [line["row"]["context"] for line in lines if line["store"] == "events"][-1] == {"device": "tv"}
    assert await exported(database, UserId("nobody")) == []
