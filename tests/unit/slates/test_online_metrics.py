"""Rates of slates served, against counts made by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.catalogue.store import CatalogueStore
from app.domain import Event, EventId, ItemId, UserId
from app.experiments.experiment import Arm, Experiment
from app.experiments.store import ExperimentStore
from app.history.observations import Observation
from app.history.store import HistoryStore
from app.slates.online_metrics import By, OnlineReader, Window
from app.slates.record import ServedItem, SlateRecord
from app.slates.store import SlateStore
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

START = datetime(2025, 6, 6, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
PURCHASE = ("purchase",)


class Log:
    """Slates served and events that followed, as the service writes them."""

    def __init__(self, database: Database) -> None:
        self.slates, self.histories = SlateStore(database), HistoryStore(database)
        self.n = 0

    async def served(
        self,
        user: str,
        items: str,
        *clicks: tuple[str, str],
        hour: float = 1,
        arm: str | None = None,
        took_ms: float = 5,
    ) -> None:
        """clicks: item and type of each event."""
        self.n += 1
        slate_id, at = f"s{self.n}", START + timedelta(hours=hour)
        places = tuple(ServedItem(ItemId(item), 1.0, place) for place, item in enumerate(items, 1))
        placement = "home" if self.n % 2 else "cart"
        served_by = {"took_ms": {"intent": took_ms - 1, "scoring": 1.0}}
        self.slates.keep(SlateRecord(slate_id, at, "b1", places, UserId(user), placement, arm, {}, served_by))
        await self.slates.flush()
        events = [
            Event(EventId(f"e{self.n}-{n}"), UserId(user), ItemId(item), kind, at, slate_id=slate_id)
            for n, (item, kind) in enumerate(clicks)
        ]
        await self.histories.append(events)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'db'}")
    yield database
    await database.close()


@pytest.fixture
def online(database: Database) -> OnlineReader:
    return OnlineReader(database, CatalogueStore(database))


async def test_rates_are_those_counted_by_hand(database: Database, online: OnlineReader) -> None:
    log = Log(database)
    await log.served("u1", "abcd", ("a", "click"), ("a", "purchase"), ("b", "view"))
    await log.served("u1", "abce", ("c", "dislike"))
    await log.served("u2", "abcd", ("d", "click"))
    await log.served("u3", "ab")
    (all_of_it,) = await online.measure(DAY, (), PURCHASE)
    assert (all_of_it.slates, all_of_it.users, all_of_it.items, all_of_it.distinct_items) == (4, 3, 14, 5)
    assert all_of_it.click_rate == 2 / 4
    assert all_of_it.item_click_rate == 3 / 14
    assert all_of_it.conversion_rate == 1 / 4
    assert (all_of_it.placement, all_of_it.arm, all_of_it.bundle) == (None, None, None)


async def test_a_click_on_what_is_not_in_the_slate_is_no_click_on_it(database: Database, online: OnlineReader) -> None:
    log = Log(database)
    await log.served("u1", "ab", ("x", "click"), ("y", "click"), ("x", "purchase"))
    (found,) = await online.measure(DAY, (), PURCHASE)
    assert (found.click_rate, found.item_click_rate, found.conversion_rate) == (0, 0, 1)


async def test_of_what_was_on_the_screen_is_counted_where_impressions_are_told(
    database: Database, online: OnlineReader
) -> None:
    log = Log(database)
    await log.served("u1", "abcdefgh", ("a", "click"), ("d", "click"))
    await log.served("u2", "abcd", ("a", "click"))
    (untold,) = await online.measure(DAY, (), PURCHASE)
    assert untold.shown_click_rate is None

    for number, (slate_id, items) in enumerate([("s1", "ab"), ("s1", "bcx")]):
        shown = Observation(EventId(f"o{number}"), None, "impression", START, slate_id, tuple(map(ItemId, items)))
        await log.histories.append([], observations=[shown])
    (found,) = await online.measure(DAY, (), PURCHASE)
    assert found.shown_click_rate == 2 / 4  # a, b, c, and d, which was clicked and so was seen; x was not in the slate
    assert found.item_click_rate == 3 / 12


async def test_groups_are_apart_and_none_is_a_group_too(database: Database, online: OnlineReader) -> None:
    log = Log(database)
    await log.served("u1", "ab", ("a", "click"), arm="x/one")
    await log.served("u2", "ab", arm="x/two")
    await log.served("u3", "abc")
    groups = await online.measure(DAY, (By.ARM, By.PLACEMENT), PURCHASE)
    told = {(one.arm, one.placement): (one.slates, one.clicked, one.items) for one in groups}
    assert told == {(None, "home"): (1, 0, 3), ("x/one", "home"): (1, 1, 2), ("x/two", "cart"): (1, 0, 2)}
    assert {one.bundle for one in groups} == {None}


async def test_time_is_cut_into_buckets_and_what_lies_outside_is_left_out(
    database: Database, online: OnlineReader
) -> None:
    log = Log(database)
    for hour in (-1, 0, 5.9, 6, 23.9, 24):
        await log.served("u1", "a", hour=hour)
    found = await online.measure(Window(DAY.since, DAY.until, buckets=4), (), PURCHASE)
    assert [(one.at, one.slates) for one in found] == [
        (START, 2),
        (START + timedelta(hours=6), 1),
        (START + timedelta(hours=18), 1),
    ]


async def test_latency_is_the_stages_time_together(database: Database, online: OnlineReader) -> None:
    log = Log(database)
    for took_ms in range(1, 101):
        await log.served("u1", "a", took_ms=float(took_ms))
    (found,) = await online.measure(DAY, (), PURCHASE)
    assert found.took_ms == (50.0, 95.0)


async def test_without_slates_there_are_no_groups(online: OnlineReader) -> None:
    assert await online.measure(DAY, tuple(By), PURCHASE) == []
    assert await online.count_items() == 0


async def test_an_experiment_counts_each_user_once_and_only_since_it_began(database: Database) -> None:
    log, store = Log(database), ExperimentStore(database)
    experiment = Experiment("x", (Arm("one"), Arm("two")), START)
    await log.served("u1", "ab", ("a", "click"), arm="x/one", hour=-1)
    await log.served("u1", "ab", arm="x/one")
    await log.served("u1", "ab", ("a", "click"), ("b", "click"), arm="x/one")
    await log.served("u2", "ab", ("b", "hide"), arm="x/one")
    await log.served("u3", "ab", ("b", "purchase"), arm="x/two")
    await log.served("u4", "ab", ("b", "click"), arm="y/one")
    assert await store.count(experiment) == {"one": (3, 2, 1), "two": (1, 1, 1)}
    purchases = Experiment("x", experiment.arms, START, success_types=PURCHASE)
    assert await store.count(purchases) == {"one": (3, 2, 0), "two": (1, 1, 1)}
