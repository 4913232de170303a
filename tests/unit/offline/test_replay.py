"""A log of slates lived through again: what is read of it, and how answers are weighed against it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.bundle import open_bundle
from app.domain import Context, Event, EventId, ItemId, SlateRequest, UserId
from app.errors import DataError
from app.history.observations import Observation
from app.history.store import HistoryStore
from app.offline.replay import read_traffic, replay, replay_store
from app.settings import Settings
from app.slates.asked import request_to_json
from app.slates.record import ServedItem, SlateRecord
from app.slates.store import SlateStore
from app.storage.database import open_database

pytestmark = pytest.mark.anyio

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)
EVER = NOON - timedelta(days=999)


def slate(number: int, user_id: str, *items: tuple[str, float], placement: str | None = None) -> SlateRecord:
    places = tuple(ServedItem(ItemId(item), 1.0, n, p) for n, (item, p) in enumerate(items, 1))
    at = NOON + timedelta(minutes=number)
    request = request_to_json(SlateRequest(Context(at), len(items), UserId(user_id)))
    return SlateRecord(f"s{number}", at, "bundle-1", places, UserId(user_id), placement, request=request)


def did(number: int, user_id: str, item_id: str, event_type: str = "click", slate_id: str | None = None) -> Event:
    at = NOON + timedelta(minutes=number)
    return Event(EventId(f"e{number}"), UserId(user_id), ItemId(item_id), event_type, at, slate_id=slate_id)


async def write(
    path: Path, slates: Sequence[SlateRecord], events: Sequence[Event], shown: Sequence[Observation] = ()
) -> str:
    url = f"sqlite:///{path}"
    database = open_database(url)
    store, histories = SlateStore(database), HistoryStore(database)
    for record in slates:
        store.keep(record)
    await store.flush()
    for event in events:
        await histories.append([event], received_at=event.at)
    await histories.append([], observations=shown)
    await database.close()
    return url


async def test_outcomes_are_joined_by_slate_and_item_and_impressions_say_what_was_shown(tmp_path: Path) -> None:
    slates = [slate(1, "ada", ("a", 0.5), ("b", 0.25)), slate(2, "ben", ("a", 1.0), ("c", 0.5))]
    events = [
        did(3, "ada", "b", slate_id="s1"),
        did(4, "ada", "a", "hide", slate_id="s1"),
        did(5, "ben", "a"),
        did(6, "ben", "c", "purchase", slate_id="s2"),
    ]
    seen = Observation(EventId("o"), None, "impression", NOON, "s1", (ItemId("b"),))
    await write(tmp_path / "log.sqlite3", slates, events, [seen])
    traffic = read_traffic(tmp_path / "log.sqlite3", EVER, None, ())
    assert traffic.taken == {("s1", "b"), ("s2", "c")}
    assert read_traffic(tmp_path / "log.sqlite3", EVER, None, ("purchase",)).taken == {("s2", "c")}

    async def answer(record: SlateRecord) -> list[ItemId]:
        return [ItemId("x"), ItemId("b")] if record.slate_id == "s1" else [ItemId("a")]

    replayed = await replay(traffic, answer)

    # Places: s1 b (weight 4, taken), s2 a (weight 1, not), s2 c (another item would stand there: weight 0, taken).
    assert (replayed.n_slates, replayed.n_places, replayed.n_matched) == (2, 3, 2)
    assert replayed.logged.value == pytest.approx(2 / 3)
    assert replayed.ips.value == pytest.approx(4 / 3)
    assert replayed.snips.value == pytest.approx(4 / 5)


async def test_slates_of_a_time_and_a_placement_are_chosen(tmp_path: Path) -> None:
    slates = [slate(1, "ada", ("a", 1.0), placement="home"), slate(9, "ada", ("a", 1.0), placement="cart")]
    ranked = replace(slate(5, "ada", ("a", 1.0)), request={"ranked": True})
    await write(tmp_path / "log.sqlite3", [*slates, ranked], [])

    def chosen(since: datetime, placement: str | None) -> list[str]:
        return [s.slate_id for s in read_traffic(tmp_path / "log.sqlite3", since, placement, ()).slates]

    assert chosen(EVER, None) == ["s1", "s9"]
    assert chosen(EVER, "cart") == ["s9"]
    assert chosen(NOON + timedelta(minutes=5), None) == ["s9"]


async def test_a_later_page_is_compared_place_by_place(tmp_path: Path) -> None:
    page = replace(slate(1, "ada"), items=(ServedItem(ItemId("c"), 1.0, 21), ServedItem(ItemId("d"), 1.0, 22)))
    await write(tmp_path / "log.sqlite3", [page], [])

    async def answer(_record: SlateRecord) -> list[ItemId]:
        return [ItemId("d"), ItemId("d")]

    assert (await replay(read_traffic(tmp_path / "log.sqlite3", EVER, None, ()), answer)).n_matched == 1


async def test_the_bundle_that_served_gets_what_it_got_and_the_store_is_left_alone(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    """Served through the real rooms, with events in between: replayed, each slate comes out as it was."""
    from app.wiring import open_resources

    settings = Settings(bundle_dir=tiny_bundle, data_dir=tmp_path, redis_url="memory://", device="cpu", threads=1)
    async with open_resources(settings) as resources:
        for number in range(12):
            user_id = UserId(f"u{number % 3}")
            served = await resources.recommender.recommend(SlateRequest(Context(NOON), 5, user_id))
            taken = served.items[number % 5].item.item_id
            at = datetime.now(UTC)
            click = Event(EventId(f"c{number}"), user_id, taken, "like", at, slate_id=served.slate_id)
            await resources.histories.append([click], received_at=at)
        await resources.slates.flush()
    file = tmp_path / "penchant.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        before = list(connection.iterdump())

    replayed = await replay_store(settings, tiny_bundle, EVER)

    assert (replayed.n_slates, replayed.n_places, replayed.n_matched) == (12, 60, 60)
    assert replayed.ips == replayed.snips == replayed.logged
    assert replayed.logged.value == pytest.approx(0.2)
    assert replayed.mean_weight == 1.0
    with closing(sqlite3.connect(file)) as connection:
        assert list(connection.iterdump()) == before
    assert open_bundle(tiny_bundle).version


async def test_nothing_to_replay_is_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(DataError, match="no store at"):
        await replay_store(settings, tmp_path, EVER)
    await write(tmp_path / "penchant.sqlite3", [], [])
    with pytest.raises(DataError, match="no slate of that time"):
        await replay_store(settings, tmp_path, EVER)
