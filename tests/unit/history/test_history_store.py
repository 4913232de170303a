import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import Event, EventId, History, ItemId, UserId
from app.history import store as store_module
from app.history.observations import Observation
from app.history.store import AppendResult, HistoryStore
from app.history.weights import use_event_types
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ADA, BEN = UserId("ada"), UserId("ben")
REPOSITORY = Path(__file__).parents[3]


def event(event_id: str, user_id: UserId = ADA, item_id: str = "film", minute: int = 0) -> Event:
    return Event(EventId(event_id), user_id, ItemId(item_id), "view", NOON + timedelta(minutes=minute))


def ids(history: History) -> list[str]:
    return [event.event_id for event in history.events]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/penchant.sqlite3")
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> HistoryStore:
    return HistoryStore(database)


async def test_what_was_appended_is_read_back_exactly(store: HistoryStore) -> None:
    rating = Event(
        EventId("e1"), ADA, ItemId("Amélie 🎬"), "rating", datetime(1997, 9, 20, 3, 5, 10, 123_457, tzinfo=UTC), 4.5
    )

    result = await store.append([rating])

    assert result == AppendResult(stored=(EventId("e1"),), duplicates=(), conflicts=())
    assert await store.last(ADA, 50) == History((rating,), watermark=1)


async def test_last_gives_the_newest_by_time_oldest_first(store: HistoryStore) -> None:
    await store.append([event("late", minute=30), event("early", minute=10), event("middle", minute=20)])

    assert ids(await store.last(ADA, 2)) == ["middle", "late"]


async def test_events_of_one_moment_keep_the_order_of_their_arrival(store: HistoryStore) -> None:
    await store.append([event("a"), event("b"), event("c")])

    assert ids(await store.last(ADA, 2)) == ["b", "c"]


async def test_before_leaves_out_that_moment_and_later(store: HistoryStore) -> None:
    await store.append([event("a", minute=1), event("b", minute=2), event("c", minute=3)])

    history = await store.last(ADA, 50, before=NOON + timedelta(minutes=2))

    assert (ids(history), history.watermark) == (["a"], 3)


async def test_a_user_without_events_is_unknown_and_has_an_empty_history(store: HistoryStore) -> None:
    await store.append([event("e1", BEN)])

    assert await store.last(ADA, 50) == History((), watermark=0)
    assert await store.watermark(ADA) == 0
    assert await store.seen(ADA) == frozenset()
    assert not await store.knows(ADA)
    assert await store.knows(BEN)


async def test_the_watermark_grows_with_the_users_own_events_only(store: HistoryStore) -> None:
    await store.append([event("e1")])
    before = await store.watermark(ADA)
    await store.append([event("e2", BEN)])
    between = await store.watermark(ADA)
    await store.append([event("e3", minute=-60)])  # older than the first, but news all the same

    assert before == between < await store.watermark(ADA)


async def test_seen_holds_every_item_once(store: HistoryStore) -> None:
    await store.append(
        [event("e1", item_id="x"), event("e2", item_id="x"), event("e3", item_id="y"), event("e4", BEN, "z")]
    )

    assert await store.seen(ADA) == {"x", "y"}


async def test_a_retry_counts_once(store: HistoryStore) -> None:
    await store.append([event("e1"), event("e2")])
    watermark = await store.watermark(ADA)

    result = await store.append([event("e1"), event("e2")])

    assert result == AppendResult(stored=(), duplicates=(EventId("e1"), EventId("e2")), conflicts=())
    assert ids(await store.last(ADA, 50)) == ["e1", "e2"]
    assert await store.watermark(ADA) == watermark


async def test_what_is_new_beside_a_retry_is_stored(store: HistoryStore) -> None:
    await store.append([event("e1")])

    result = await store.append([event("e1"), event("e2")])

    assert result == AppendResult(stored=(EventId("e2"),), duplicates=(EventId("e1"),), conflicts=())
    assert ids(await store.last(ADA, 50)) == ["e1", "e2"]


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": BEN},
        {"item_id": ItemId("other")},
        {"type": "like"},
        {"at": NOON + timedelta(microseconds=1)},
        {"value": 1.0},
        {"features": {"device": "tv"}},
    ],
)
async def test_an_id_that_comes_again_with_another_body_is_named_and_not_stored(
    store: HistoryStore, change: dict[str, Any]
) -> None:
    original = event("e1")
    await store.append([original])

    result = await store.append([replace(original, **change), event("e2")])

    assert result == AppendResult(stored=(EventId("e2"),), duplicates=(), conflicts=(EventId("e1"),))
    assert (await store.last(ADA, 50)).events == (original, event("e2"))


async def test_one_batch_is_compared_with_itself_too(store: HistoryStore) -> None:
    result = await store.append([event("e1"), event("e1"), event("e1", BEN)])

    assert result == AppendResult(stored=(EventId("e1"),), duplicates=(EventId("e1"),), conflicts=(EventId("e1"),))


async def test_a_retry_of_an_event_without_a_time_of_its_own_is_no_conflict(store: HistoryStore) -> None:
    later = NOON + timedelta(seconds=3)
    await store.append([event("e1")], received_at=NOON)

    result = await store.append([replace(event("e1"), at=later)], received_at=later)

    assert result.duplicates == ("e1",)
    assert (await store.last(ADA, 50)).events[0].at == NOON


async def test_erasing_a_user_leaves_the_others_and_never_gives_a_watermark_twice(store: HistoryStore) -> None:
    await store.append([event("e1", BEN), event("e2"), event("e3")])
    watermark = await store.watermark(ADA)

    erased = await store.delete_user(ADA)

    assert erased == 2
    assert await store.last(ADA, 50) == History((), watermark=0)
    assert await store.knows(BEN)
    await store.append([event("e4")])
    assert await store.watermark(ADA) > watermark


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/penchant.sqlite3"
    first = open_database(url)
    await HistoryStore(first).append([event("e1"), event("e2")])
    await first.close()

    second = open_database(url)

    assert ids(await HistoryStore(second).last(ADA, 50)) == ["e1", "e2"]
    await second.close()


@pytest.mark.parametrize("query", [store_module._WATERMARK, store_module._SEEN])
async def test_neither_watermark_nor_seen_reads_the_table(database: Database, query: str) -> None:
    steps = [step for *_, step in database.read(f"EXPLAIN QUERY PLAN {query}", ("ada",))]

    of_events = [step for step in steps if "events" in step]
    assert of_events == ["SEARCH events USING COVERING INDEX events_by_arrival (user_id=?)"]


async def test_last_sorts_nothing(database: Database) -> None:
    plan = database.read(f"EXPLAIN QUERY PLAN {store_module._LAST}", ("ada", 0, 0, 50))

    assert [step for *_, step in plan] == ["SEARCH events USING INDEX events_by_time (user_id=? AND at<?)"]


bodies = st.tuples(st.sampled_from(["e1", "e2", "e3", "e4"]), st.sampled_from([ADA, BEN]), st.sampled_from(["x", "y"]))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(bodies, max_size=6), max_size=5))
def test_a_store_agrees_with_a_dictionary(batches: list[list[tuple[str, UserId, str]]]) -> None:
    expected: dict[str, Event] = {}

    async def append_all(folder: str) -> None:
        database = open_database(f"sqlite:///{folder}/penchant.sqlite3")
        store = HistoryStore(database)
        for batch in batches:
            events = [event(event_id, user_id, item_id) for event_id, user_id, item_id in batch]
            result = await store.append(events)
            outcome: dict[str, list[EventId]] = {"stored": [], "duplicates": [], "conflicts": []}
            for new in events:
                kept = expected.setdefault(new.event_id, new)
                outcome["stored" if kept is new else "duplicates" if kept == new else "conflicts"].append(new.event_id)
            assert result == AppendResult(**{name: tuple(found) for name, found in outcome.items()})
        for user_id in (ADA, BEN):
            own = [kept for kept in expected.values() if kept.user_id == user_id]
            assert list((await store.last(user_id, 50)).events) == own
            assert await store.seen(user_id) == {kept.item_id for kept in own}
        await database.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(append_all(folder))


APPENDER = """
import asyncio, itertools, sys
from datetime import UTC, datetime
from app.domain import Event, EventId, ItemId, UserId
from app.history.store import HistoryStore
from app.storage.database import open_database

async def append_for_ever(store, name):
    for i in itertools.count():
        event_id = EventId(f"{name}-{i}")
        await store.append([Event(event_id, UserId("ada"), ItemId("film"), "view", datetime.now(UTC))])
        sys.stdout.write(event_id + chr(10))
        sys.stdout.flush()

async def main(url):
    store = HistoryStore(open_database(url))
    await asyncio.gather(*(append_for_ever(store, name) for name in "abcdefgh"))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("seed", range(3))
async def test_every_acknowledged_event_survives_kill_nine(tmp_path: Path, seed: int) -> None:
    """Process death only: what a power cut would do is the business of `synchronous = FULL`, and not proved here."""
    url = f"sqlite:///{tmp_path}/penchant.sqlite3"
    acknowledge_n = random.Random(seed).randrange(100, 600)
    appender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", APPENDER, url, stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY
    )
    assert appender.stdout is not None
    lines = [await appender.stdout.readline() for _ in range(acknowledge_n)]
    appender.kill()
    lines += (await appender.stdout.read()).splitlines(keepends=True)
    await appender.wait()

    database = open_database(url)
    kept = {event_id for (event_id,) in database.read("SELECT event_id FROM events")}

    acknowledged = {line.decode().strip() for line in lines if line.endswith(b"\n")}
    assert len(acknowledged) >= acknowledge_n
    assert acknowledged <= kept
    assert database.read("PRAGMA integrity_check") == [("ok",)]
    await database.close()


def did(number: int, event_type: str, item_id: str = "film") -> Event:
    return Event(EventId(f"d{number}"), ADA, ItemId(item_id), event_type, NOON + timedelta(minutes=number))


@pytest.mark.parametrize(
    ("types", "refused"),
    [
        (["hide"], True),
        (["dislike"], True),
        (["view", "hide"], True),
        (["like", "hide"], True),
        (["hide", "view"], True),
        (["hide", "like"], False),
        (["dislike", "purchase"], False),
        (["like"], False),
        ([], False),
    ],
)
async def test_an_item_is_refused_until_it_is_clearly_wanted_again(
    store: HistoryStore, types: list[str], refused: bool
) -> None:
    await store.append([did(number, event_type) for number, event_type in enumerate(types)])

    assert await store.refused(ADA, NOON) == (frozenset({ItemId("film")}) if refused else frozenset())
    assert await store.refused(BEN, NOON) == frozenset()


async def test_a_refusal_that_has_faded_is_none(store: HistoryStore) -> None:
    use_event_types({"not_now": {"weight": -0.5, "half_life_days": 1}})
    try:
        await store.append([did(0, "not_now"), did(1, "hide", "other")])
        assert await store.refused(ADA, NOON + timedelta(days=3)) == {"film", "other"}
        assert await store.refused(ADA, NOON + timedelta(days=4)) == {"other"}
    finally:
        use_event_types({})


def shown(event_id: str = "o1", items: tuple[str, ...] = ("a", "b"), minute: int = 0) -> Observation:
    at = NOON + timedelta(minutes=minute)
    return Observation(EventId(event_id), ADA, "impression", at, "slate-1", tuple(map(ItemId, items)))


async def test_an_impression_is_neither_history_nor_seen_and_moves_no_watermark(store: HistoryStore) -> None:
    await store.append([event("e1")])
    watermark = await store.watermark(ADA)

    result = await store.append([], observations=[shown("o1"), shown("o2", ("c",), minute=9)])

    assert result.stored == (EventId("o1"), EventId("o2"))
    assert await store.watermark(ADA) == watermark
    assert await store.seen(ADA) == {"film"}
    assert await store.shown(ADA) == {"a", "b", "c"}
    assert await store.shown(ADA, since=NOON + timedelta(minutes=5)) == {"c"}


async def test_an_impression_sent_again_counts_once_and_its_id_stands_for_nothing_else(store: HistoryStore) -> None:
    await store.append([event("e1")], observations=[shown("o1")])

    again = await store.append([event("o1")], observations=[shown("o1"), shown("e1")])
    changed = await store.append([], observations=[shown("o1", ("z",))])

    assert (again.duplicates, again.conflicts) == (("o1",), ("o1", "e1"))
    assert changed.conflicts == ("o1",)


async def test_what_an_event_tells_beside_its_type_is_read_back(store: HistoryStore) -> None:
    features = {"place": "home", "device": "tv"}
    told = replace(event("e1"), slate_id="s1", dwell_s=12.5, completion=0.75, features=features)
    await store.append([told])

    assert (await store.last(ADA, 1)).events == (told,)
    assert (await store.append([replace(told, completion=0.5)])).conflicts == ("e1",)
    assert (await store.append([replace(told, features=dict(reversed(features.items())))])).duplicates == ("e1",)
