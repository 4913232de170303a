from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from test_crowd_log import deed

from app.crowd.log import CrowdLog, View
from app.crowd.neighbours import find_alike, likes_of
from app.crowd.tables import count_events, first_seen, tally_popular, tally_trending
from app.history.feed import Deed

DAY = 86_400
MONDAY = int(datetime(2024, 6, 3, tzinfo=UTC).timestamp())


def view_of(deeds: list[Deed]) -> View:
    log = CrowdLog(10_000)
    log.append(deeds)
    return log.view()


def steady(item: int, days: int, a_day: int, from_day: int = 0) -> list[Deed]:
    return [
        deed(n, item, MONDAY + day * DAY + n * 60) for day in range(from_day, from_day + days) for n in range(a_day)
    ]


def test_popular_is_the_liking_within_the_window_that_ends_at_the_newest_event() -> None:
    view = view_of([deed(0, 0, 0), deed(1, 0, 10, 0.5), deed(2, 1, 100, 0.25), deed(3, 1, 101, 0.25)])
    assert tally_popular(view).worth.tolist() == [1.5, 0.5]
    recent = tally_popular(view, window_s=50)
    assert (recent.worth.tolist(), recent.events.tolist()) == ([0, 0.5], [0, 2])
    assert (recent.since_s, recent.until_s) == (51, 101)


def test_popular_in_a_part_of_the_week_counts_that_part_alone() -> None:
    morning, evening = MONDAY + 8 * 3_600, MONDAY + 20 * 3_600
    view = view_of([deed(0, 0, morning), deed(1, 0, morning + 7 * DAY), deed(2, 1, evening)])
    assert tally_popular(view, bucket=1).worth.tolist() == [2, 0]
    assert tally_popular(view, bucket=3).worth.tolist() == [0, 1]


def test_a_type_with_a_half_life_is_forgotten_by_the_newest_event() -> None:
    glance = replace(deed(0, 0, 0), half_life_s=float(DAY))
    view = view_of([glance, deed(1, 1, 0), deed(2, 1, 2 * DAY, 0.5)])
    assert tally_popular(view).worth.tolist() == [0.25, 1.5]
    assert tally_popular(view).events.tolist() == [1, 2]
    alike = find_alike(view, np.array([1]), 5)
    assert likes_of(view, alike)[1] > 0


def test_what_rises_is_trending_and_what_is_only_popular_is_not() -> None:
    view = view_of(steady(0, 40, 20) + steady(1, 40, 2) + steady(1, 2, 10, from_day=38) + steady(2, 30, 10))
    rise = tally_trending(view, 2 * DAY).worth
    assert int(rise.argmax()) == 1
    assert rise[1] > 1
    assert rise[2] < 0


def test_growth_of_the_whole_site_is_no_items_rise() -> None:
    view = view_of([d for item in (0, 1) for day in range(40) for d in steady(item, 1, 1 + day // 4, from_day=day)])
    assert np.abs(tally_trending(view, 2 * DAY).worth).max() < 0.5


def test_an_empty_log_has_empty_tables() -> None:
    view = view_of([])
    for tally in (tally_popular(view), tally_popular(view, 10, 3), tally_trending(view, DAY)):
        assert (tally.worth.tolist(), tally.events.tolist()) == ([], [])
    assert find_alike(view, np.empty(0, dtype=np.int64), 5).users.tolist() == []


def test_first_events_and_counts_are_the_items_own() -> None:
    view = view_of([deed(0, 5, 30), deed(0, 6, 20), deed(1, 5, 10)])
    assert first_seen(view).tolist() == [10, 20]
    assert count_events(view).tolist() == [2, 1]


def test_the_user_with_the_same_rare_likes_is_the_most_alike() -> None:
    everybody = [deed(user, 0, user) for user in range(30)]
    twins = [deed(user, item, 50 + user) for user in (3, 4) for item in (1, 2, 3)]
    half = [deed(7, item, 70) for item in (1, 8, 9)]
    view = view_of(everybody + twins + half)
    alike = find_alike(view, np.array([0, 1, 2, 3]), 2, but=3)
    assert [view.user_ids[code] for code in alike.users] == ["u4", "u7"]
    assert alike.shared.tolist() == [4, 2]
    assert 0 < alike.likeness[1] < alike.likeness[0] <= 1
    likes = {view.item_ids[code]: float(likes) for code, likes in enumerate(likes_of(view, alike))}
    assert likes["i0"] == likes["i1"] > likes["i2"] == likes["i3"] > likes["i8"] > 0


def test_to_do_a_thing_twice_makes_no_one_more_alike() -> None:
    others = [deed(9, item, 1) for item in range(5, 9)] + [deed(8, 0, 1), deed(8, 5, 1)]
    view = view_of([*others, deed(0, 0, 1), deed(1, 0, 2)] + [deed(1, 0, 3)] * 5)
    alike = find_alike(view, np.array([view.item_ids.index("i0")]), 5)
    told = {view.user_ids[user]: shared for user, shared in zip(alike.users, alike.shared.tolist(), strict=True)}
    assert told == {"u0": 1, "u1": 1, "u8": 1}
