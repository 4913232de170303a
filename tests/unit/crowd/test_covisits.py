from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.crowd.covisits import HALF_LIFE_EVENTS, CoVisits
from app.crowd.pairs import REACH, PairMaker
from app.domain import IntArray, UserId

ONE = np.ones(1, dtype=np.float32)


def told(covisits: CoVisits, code: int) -> dict[int, float]:
    """What the row of a code counts for certain."""
    row = covisits._others[code]
    certain = covisits._counts[code] - covisits._errors[code]
    return {int(other): float(count) for other, count in zip(row, certain, strict=True) if other >= 0}


pages = st.lists(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] != pair[1]), max_size=40),
    max_size=6,
)


@settings(deadline=None)
@given(pages, st.integers(1, 12))
def test_no_pair_is_told_to_count_more_than_it_does_however_few_counters_there_are(
    pages: list[list[tuple[int, int]]], width: int
) -> None:
    covisits, true = CoVisits(width), Counter[tuple[int, int]]()
    for page in pages:
        covisits.add([one for one, _ in page], [other for _, other in page], [1.0] * len(page), n_events=0)
        true.update(page)
        true.update((other, one) for one, other in page)
    for code in {one for one, _ in true}:
        row = told(covisits, code)
        assert len(row) <= width
        assert all(count <= true[code, other] + 1e-4 for other, count in row.items())
        if len({other for one, other in true if one == code}) <= width:
            assert row == {other: pytest.approx(count) for (one, other), count in true.items() if one == code}


def test_frequent_pairs_outlive_a_stream_of_rare_ones() -> None:
    covisits, rng = CoVisits(), np.random.default_rng(0)
    for _ in range(50):
        rare = rng.integers(10, 5_000, 40)
        covisits.add([0] * 44, [1, 2, 1, 2, *rare.tolist()], [1.0] * 44, n_events=44)
    found, _ = covisits.score(np.array([0]), ONE)
    assert set(found[:2].tolist()) == {1, 2}


def test_old_pairs_fade_and_new_ones_take_their_place() -> None:
    covisits = CoVisits()
    covisits.add([0] * 10, [1] * 10, [1.0] * 10, n_events=10)
    covisits.add([0] * 6, [2] * 6, [1.0] * 6, n_events=HALF_LIFE_EVENTS)
    assert covisits.score(np.array([0]), ONE)[0].tolist() == [2, 1]


def test_after_any_number_of_events_the_counts_are_still_numbers() -> None:
    covisits = CoVisits()
    for _ in range(300):
        covisits.add([0, 1], [1, 2], [1.0, 0.5], n_events=HALF_LIFE_EVENTS)
    found, strength = covisits.score(np.array([1]), ONE)
    assert found.tolist() == [0, 2]
    assert np.isfinite(strength).all()
    assert (strength > 0).all()


def test_what_goes_with_everything_is_weaker_than_what_goes_with_this() -> None:
    covisits = CoVisits()
    crowd = list(range(10, 40))
    covisits.add([0] * 5 + crowd * 5, [1] * 5 + [2] * 150, [1.0] * 155, n_events=0)
    covisits.add([0] * 5, [2] * 5, [1.0] * 5, n_events=0)
    assert covisits.score(np.array([0]), ONE)[0].tolist() == [1, 2]


@pytest.mark.parametrize("codes", [[], [7], [100_000]])
def test_items_never_met_with_others_give_nothing(codes: list[int]) -> None:
    covisits = CoVisits()
    covisits.add([0], [1], [1.0], n_events=1)
    asked: IntArray = np.array(codes, dtype=np.int64)
    found, strength = covisits.score(asked, np.ones(len(codes), dtype=np.float32))
    assert (found.tolist(), strength.tolist()) == ([], [])


def test_an_event_is_paired_with_the_users_own_likes_before_it_the_nearer_the_more() -> None:
    maker = PairMaker()
    ada, bob = UserId("ada"), UserId("bob")
    assert maker.pair([(ada, 1, 1.0), (bob, 9, 1.0), (ada, 2, 0.5)]) == ([2], [1], [0.5])
    assert maker.pair([(ada, 3, 1.0)]) == ([3, 3], [2, 1], [0.5, 0.5])  # across pages


def test_the_same_item_again_is_no_pair_of_its_own_and_moves_nothing_on() -> None:
    maker, ada = PairMaker(), UserId("ada")
    maker.pair([(ada, 1, 1.0), (ada, 2, 1.0), (ada, 2, 1.0)])
    assert maker.pair([(ada, 3, 1.0)]) == ([3, 3], [2, 1], [1.0, 0.5])


def test_only_the_last_likes_and_the_last_users_are_remembered() -> None:
    maker = PairMaker(most_users=2)
    ada = UserId("ada")
    maker.pair([(ada, code, 1.0) for code in range(20)])
    ones, others, _ = maker.pair([(ada, 20, 1.0)])
    assert (ones, others) == ([20] * REACH, [19, 18, 17, 16, 15])
    maker.pair([(UserId("bob"), 1, 1.0), (UserId("cyd"), 1, 1.0)])
    assert maker.pair([(ada, 21, 1.0)]) == ([], [], [])
