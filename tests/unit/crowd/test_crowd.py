from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from tiny import event
from tiny_rooms import Rooms, open_rooms

from app.domain import Item, ItemId, UserId
from app.scoring.prior import long_run_share
from app.scoring.trend import trend
from app.users.digest import user_digest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def other(tiny_bundle: Path, tmp_path: Path, rooms: Rooms) -> AsyncIterator[Rooms]:
    """Another process over the same database."""
    async with open_rooms(tiny_bundle, tmp_path) as opened:
        yield opened


def titles(rooms: Rooms, slots: object) -> list[str]:
    return [rooms.catalogue.item_at(slot).item_id for slot in slots]  # type: ignore[attr-defined]


async def test_what_another_process_stores_is_met_after_catching_up(rooms: Rooms, other: Rooms) -> None:
    mine, theirs = rooms.crowd(), other.crowd()
    await mine.start()
    await theirs.start()
    await other.histories.append([event(n, f"u{n % 3}", f"i{n % 7}") for n in range(60)])
    for crowd in (mine, theirs):
        await crowd.catch_up()
        await crowd.refresh()
    assert len(mine.log) == 60
    slots, strength = mine.covisited([ItemId("i0")])
    assert slots.tolist() == theirs.covisited([ItemId("i0")])[0].tolist()
    assert "i3" in titles(rooms, slots)  # u0 went from i0 on to i3
    assert sorted(strength.tolist(), reverse=True) == strength.tolist()
    assert mine.standings.trending.tolist() == theirs.standings.trending.tolist()


async def test_a_start_reads_no_more_than_the_newest_events(rooms: Rooms) -> None:
    await rooms.histories.append([event(n, "ada", f"i{n}") for n in range(50)])
    crowd = rooms.crowd(most_events=10)
    await crowd.start()
    assert [crowd.log.item_ids[code] for code in crowd.log.view().items] == [f"i{n}" for n in range(40, 50)]


async def test_refusals_and_items_nobody_knows_are_left_out(rooms: Rooms) -> None:
    await rooms.histories.append(
        [event(1, "ada", "i1"), event(2, "ada", "i2", "dislike"), event(3, "ada", "nowhere"), event(4, "ada", "i4")]
    )
    crowd = rooms.crowd()
    await crowd.start()
    assert crowd.log.item_ids == ["i1", "i4"]
    assert titles(rooms, crowd.covisited([ItemId("i1"), ItemId("nowhere")])[0]) == ["i4"]


async def test_what_was_put_last_is_the_freshest_then_what_was_first_met_last(rooms: Rooms) -> None:
    await rooms.histories.append([event(1, "ada", "i1"), event(2, "bob", "i2"), event(3, "cyd", "i1")])
    crowd = rooms.crowd()
    await crowd.start()
    assert titles(rooms, crowd.standings.fresh) == ["i2", "i1"]
    await rooms.catalogue.put(Item(ItemId("first"), "red space story"))
    await rooms.catalogue.put(Item(ItemId("second"), "blue space story"))
    await crowd.refresh()
    assert titles(rooms, crowd.standings.fresh) == ["second", "first", "i2", "i1"]
    assert crowd.standings.n_events.shape == (rooms.catalogue.index.n_slots,)
    assert crowd.standings.n_events[1] == 2


async def test_the_index_is_told_what_is_liked_lately(rooms: Rooms) -> None:
    crowd, index = rooms.crowd(), rooms.catalogue.index
    await crowd.start()
    assert not index.gather(np.arange(index.n_slots))[:, -1].any()
    await rooms.histories.append([event(n, f"u{n}", "i7") for n in range(9)])
    await rooms.catalogue.put(Item(ItemId("newest"), "red space story"))
    await crowd.catch_up()
    await crowd.refresh()
    told = index.gather(np.arange(index.n_slots))[:, -1]
    assert told.argmax() == rooms.catalogue.find_slot(ItemId("i7"))
    unseen = rooms.trained.unseen_events
    share = np.append(long_run_share(rooms.trained.n_events, unseen), unseen / rooms.trained.n_events.sum())
    assert told == pytest.approx(trend(crowd.standings.lately, share), abs=1e-5)
    assert 8.9 < crowd.standings.lately.sum() <= 9


async def test_an_item_changed_after_the_last_event_has_its_trend_again(rooms: Rooms) -> None:
    await rooms.histories.append([event(n, f"u{n}", "i7") for n in range(9)])
    crowd, catalogue = rooms.crowd(), rooms.catalogue
    await crowd.start()
    for title in ("quite another story", "yet another"):
        await catalogue.put(Item(ItemId("i7"), title))
        await crowd.refresh()
        assert catalogue.index.gather(np.array([catalogue.find_slot(ItemId("i7"))]))[0, -1] > 1


async def test_a_changed_item_keeps_what_was_counted_of_it(rooms: Rooms) -> None:
    await rooms.histories.append([event(1, "ada", "i1"), event(2, "ada", "i2")])
    crowd = rooms.crowd()
    await crowd.start()
    await rooms.catalogue.put(Item(ItemId("i2"), "quite another story"))
    assert titles(rooms, crowd.covisited([ItemId("i1")])[0]) == ["i2"]
    assert rooms.catalogue.index.is_alive(int(crowd.covisited([ItemId("i1")])[0][0]))


async def test_a_forgotten_user_is_paired_and_named_no_more(rooms: Rooms) -> None:
    await rooms.histories.append([event(1, "ada", "i1"), event(2, "bob", "i1")])
    crowd = rooms.crowd()
    await crowd.start()
    crowd.forget(user_digest(UserId("ada")))
    await rooms.histories.append([event(3, "ada", "i5")])
    await crowd.catch_up()
    assert crowd.covisited([ItemId("i5")])[0].tolist() == []
    assert list(crowd.log.view().user_ids).count("ada") == 1  # of the event that came after
