from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.experiments.experiment import Arm, Experiment
from app.experiments.results import Results, judge

START = datetime(2025, 6, 6, tzinfo=UTC)
TWO = Experiment("colours", (Arm("red"), Arm("blue")), START, effect=0.02)


def judged(red: tuple[int, int], blue: tuple[int, int], days: int = 1, experiment: Experiment = TWO) -> Results:
    counts = {"red": (2 * red[0], *red), "blue": (2 * blue[0], *blue)}
    return judge(experiment, counts, START + timedelta(days=days))


@pytest.mark.parametrize(
    ("blue", "verdict", "may_stop"),
    [((5_000, 900), "better", True), ((5_000, 100), "worse", True), ((5_000, 510), "undecided", False)],
)
def test_an_arm_is_called_when_its_interval_excludes_zero(blue: tuple[int, int], verdict: str, may_stop: bool) -> None:
    results = judged((5_000, 500), blue)
    assert [arm.verdict for arm in results.arms] == ["base", verdict]
    assert results.may_stop is may_stop


def test_no_difference_that_matters_is_a_result_too() -> None:
    results = judged((200_000, 20_000), (200_000, 20_010))
    assert (results.may_stop, results.arms[1].verdict) == (True, "undecided")
    assert "No difference as large as 0.02" in results.why


def test_after_its_days_it_is_given_up() -> None:
    assert not judged((1_000, 100), (1_000, 101), days=28).may_stop
    assert "29" not in judged((1_000, 100), (1_000, 101), days=29).why
    assert judged((1_000, 100), (1_000, 101), days=29).may_stop


def test_units_that_did_not_fall_by_the_shares_let_nothing_be_believed() -> None:
    results = judged((5_000, 500), (4_000, 900))
    assert (results.balanced, results.may_stop, results.arms[1].verdict) == (False, False, "undecided")


def test_before_the_first_slate_nothing_is_known() -> None:
    results = judge(TWO, {}, START)
    assert [(arm.units, arm.rate, arm.difference) for arm in results.arms] == [(0, 0.0, None), (0, 0.0, None)]
    assert (results.balanced, results.may_stop) == (True, False)


def test_more_arms_need_more_evidence_each() -> None:
    three = replace(TWO, arms=(*TWO.arms, Arm("green")))
    counts = {"red": (1, 5_000, 500), "blue": (1, 5_000, 600), "green": (1, 5_000, 600)}
    wide, narrow = judge(three, counts, START).arms[1].interval, judged((5_000, 500), (5_000, 600)).arms[1].interval
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < narrow.high < wide.high
