from datetime import UTC, datetime, timedelta

import pytest
from tiny import event
from tiny_rooms import Rooms

from app.crowd.crowd import Crowd
from app.crowd.leaderboards import Leaderboard, Leaderboards
from app.domain import Item, ItemId

pytestmark = pytest.mark.anyio

MONDAY = datetime(2024, 6, 3, 8, tzinfo=UTC)
DAY_S = 86_400


@pytest.fixture
async def crowd(rooms: Rooms) -> Crowd:
    """i0 is liked steadily on mornings, i10 on the last evenings only, i20 once at the start."""
    steady = [event(n, f"u{n}", "i0", at=MONDAY + timedelta(days=n)) for n in range(20)]
    late = [event(100 + n, f"v{n}", "i10", at=MONDAY + timedelta(days=18, hours=12, minutes=n)) for n in range(6)]
    await rooms.histories.append([*steady, *late, event(200, "w", "i20", at=MONDAY)])
    crowd = rooms.crowd()
    await crowd.start()
    return crowd


def ids(board: Leaderboard) -> list[str]:
    return [standing.item.item_id for standing in board.standings]


async def test_popular_is_by_liking_in_the_window_the_category_and_the_part_of_the_week(
    rooms: Rooms, crowd: Crowd
) -> None:
    boards = Leaderboards(crowd, rooms.catalogue)
    everything = await boards.popular(9, None, None, None)
    assert ids(everything) == ["i0", "i10", "i20"]
    assert [standing.events for standing in everything.standings] == [20, 6, 1]
    assert (everything.since, everything.until) == (MONDAY, MONDAY + timedelta(days=19))
    assert ids(await boards.popular(9, 2 * DAY_S, None, None)) == ["i10", "i0"]
    assert ids(await boards.popular(9, None, "crime", None)) == ["i10"]
    assert ids(await boards.popular(9, None, None, 7)) == []  # a weekend's evening
    assert ids(await boards.popular(1, None, None, None)) == ["i0"]


async def test_trending_is_what_has_begun_to_be_liked(rooms: Rooms, crowd: Crowd) -> None:
    boards = Leaderboards(crowd, rooms.catalogue)
    board = await boards.trending(9, None, None, None)
    assert ids(board) == ["i10"]
    assert board.standings[0].worth > 0
    assert ids(await boards.trending(9, None, "space", None)) == []


async def test_a_list_of_a_context_counts_only_what_happened_in_it(rooms: Rooms, crowd: Crowd) -> None:
    """Beside what the crowd did in no context: i30 on phones at home since long, i40 there of late, i50 on a tv."""
    home = {"device": "phone", "place": "home"}
    long_ago = [event(300 + n, f"p{n}", "i30", at=MONDAY + timedelta(days=n), **home) for n in range(18)]
    of_late = [event(400 + n, f"q{n}", "i40", at=MONDAY + timedelta(days=18), **home) for n in range(3)]
    on_tv = event(500, "r", "i50", at=MONDAY, device="tv")
    await rooms.histories.append([*long_ago, *of_late, on_tv])
    await crowd.catch_up()
    boards, phone, tv = Leaderboards(crowd, rooms.catalogue), ("device", "phone"), ("device", "tv")

    popular = {
        features: ids(await boards.popular(9, None, None, None, frozenset(features)))
        for features in ((phone,), (tv,), (phone, tv), (phone, ("place", "home")), (tv, ("place", "home")))
    }

    assert list(popular.values()) == [["i30", "i40"], ["i50"], ["i30", "i40", "i50"], ["i30", "i40"], []]
    assert ids(await boards.trending(9, None, None, None, frozenset({phone}))) == ["i40"]
    window = await boards.popular(9, 2 * DAY_S, None, None, frozenset({phone}))
    assert (ids(window), window.until) == (["i40"], MONDAY + timedelta(days=19))
    assert await boards.trending(9, None, None, None, frozenset({("device", "watch")})) == Leaderboard((), None, None)


async def test_fresh_is_the_newest_first_within_the_window(rooms: Rooms, crowd: Crowd) -> None:
    await rooms.catalogue.put(Item(ItemId("new"), "quiet western story", ("western",)))
    boards = Leaderboards(crowd, rooms.catalogue)
    board = await boards.fresh(9, None, None)
    assert ids(board) == ["new", "i10", "i0", "i20"]
    assert (board.standings[0].events, board.standings[1].events) == (0, 6)
    assert ids(await boards.fresh(9, 3_600, None)) == ["new"]
    assert ids(await boards.fresh(9, None, "crime")) == ["i10"]


async def test_what_may_not_be_shown_is_in_no_list(rooms: Rooms, crowd: Crowd) -> None:
    await rooms.catalogue.delete(ItemId("i10"))
    boards = Leaderboards(crowd, rooms.catalogue)
    assert "i10" not in ids(await boards.popular(9, None, None, None))
    assert ids(await boards.trending(9, None, None, None)) == []
    assert "i10" not in ids(await boards.fresh(9, None, None))


async def test_before_the_first_event_the_lists_are_empty(rooms: Rooms) -> None:
    crowd = rooms.crowd()
    await crowd.start()
    boards = Leaderboards(crowd, rooms.catalogue)
    for board in (
        await boards.popular(5, 60, None, None),
        await boards.trending(5, 60, None, 0),
        await boards.fresh(5, 60, None),
    ):
        assert board == Leaderboard((), None, None)
