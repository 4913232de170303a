from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import PART_NAMES, BoolArray, Boost, Scores
from app.scoring.rules import NO_RULES, RULES, Rules, without_rules

FLOATS = st.floats(-20, 20, width=32)
FACTORS, ADDS = st.floats(0.01, 100), st.floats(-1_000, 1_000)
BOOSTS = st.builds(lambda factor, add: Boost("x = 1", factor, add), FACTORS, ADDS)


def scores_of(parts: list[list[float]]) -> Scores:
    array = np.array(parts, dtype=np.float32).reshape(len(parts), -1)
    array = np.hstack([array, np.zeros((len(array), 1), dtype=np.float32)])
    return Scores(array.sum(axis=1, dtype=np.float64), array, np.zeros(len(array), dtype=np.int64))


def apply(boosts: list[Boost], totals: list[float], masks: list[list[bool]]) -> list[float]:
    scores = scores_of([[total, 0, 0, 0, 0] for total in totals])
    rules = Rules(tuple(boosts), np.array(masks, dtype=np.bool_))
    return rules.apply(scores, np.arange(len(totals))).total.tolist()


def slots_of(groups: Sequence[BoolArray | None]) -> list[list[int]]:
    return [np.flatnonzero(group).tolist() for group in groups if group is not None]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(FLOATS, min_size=RULES, max_size=RULES), min_size=1, max_size=6), st.lists(BOOSTS, max_size=8))
def test_whatever_is_boosted_the_parts_sum_to_the_score(parts: list[list[float]], boosts: list[Boost]) -> None:
    before = scores_of(parts)
    masks = np.random.default_rng(len(boosts)).random((len(boosts), len(parts))) < 0.5
    after = Rules(tuple(boosts), masks).apply(before, np.arange(len(parts)))
    assert after.parts.shape == (len(parts), len(PART_NAMES))
    assert np.abs(after.parts.astype(np.float64).sum(axis=1) - after.total).max() <= 1e-5
    assert (after.parts[:, :RULES] == before.parts[:, :RULES]).all()
    assert np.allclose(without_rules(after), before.total, atol=1e-5)
    untouched = ~masks.any(axis=0)
    assert (after.total[untouched] == before.total[untouched]).all()


@settings(deadline=None)
@given(FACTORS, ADDS, st.floats(-20, 20), st.floats(0.01, 20))
def test_a_boost_never_turns_the_order_of_what_it_holds_for(factor: float, add: float, low: float, by: float) -> None:
    one, other = apply([Boost("x = 1", factor, add)], [low, low + by], [[True, True]])
    assert one <= other + 1e-3


def test_a_factor_above_one_raises_and_one_below_lowers_whatever_the_sign() -> None:
    assert apply([Boost("x = 1", factor=2)], [3, -3, 0], [[True] * 3]) == pytest.approx([6, -1.5, 0])
    assert apply([Boost("x = 1", factor=0.5)], [3, -3, 0], [[True] * 3]) == pytest.approx([1.5, -6, 0])


def test_factors_multiply_and_adds_add() -> None:
    boosts = [Boost("x = 1", factor=2), Boost("x = 1", factor=3), Boost("x = 1", add=1), Boost("x = 1", add=-5)]
    assert apply(boosts, [1, 1, 1], [[True, True, False]] * 4) == pytest.approx([2, 2, 1])


def test_groups_part_the_eligible_by_the_boosts_that_hold() -> None:
    masks = np.array([[1, 1, 0, 0, 1], [0, 1, 0, 0, 1]], dtype=np.bool_)
    rules = Rules((Boost("a = 1"), Boost("b = 1")), masks)
    eligible = np.array([True, True, True, True, False])
    assert slots_of(rules.groups(eligible)) == [[2, 3], [0], [1]]
    assert slots_of(rules.groups(None)) == [[2, 3], [0], [1, 4]]


def test_without_boosts_there_is_one_group_and_nothing_changes() -> None:
    scores = scores_of([[1, 2, 3, 4]])
    assert NO_RULES.groups(None) == [None]
    assert NO_RULES.apply(scores, np.array([99])) is scores


def test_nothing_eligible_is_one_empty_group() -> None:
    rules = Rules((Boost("a = 1"),), np.ones((1, 3), dtype=np.bool_))
    (group,) = rules.groups(np.zeros(3, dtype=np.bool_))
    assert group is not None
    assert not group.any()
