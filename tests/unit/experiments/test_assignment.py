"""Which arm a unit belongs to: always the same, by the shares, and independent of other experiments."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.experiments.experiment import Arm, Experiment

NOW = datetime(2025, 6, 6, tzinfo=UTC)
TWO = Experiment("colours", (Arm("red"), Arm("blue")), NOW)
UNITS = [f"u{n}" for n in range(20_000)]


def arms_of(experiment: Experiment) -> Counter[str | None]:
    arms = (experiment.arm_of(unit) for unit in UNITS)
    return Counter(None if arm is None else arm.name for arm in arms)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=50))
def test_a_unit_stays_in_its_arm(unit: str) -> None:
    again = Experiment("colours", (Arm("red"), Arm("blue")), NOW)
    assert TWO.arm_of(unit) == again.arm_of(unit)


@pytest.mark.parametrize("shares", [(1, 1), (3, 1), (1, 1, 2), (0.1, 0.9)])
def test_units_fall_to_the_arms_by_their_shares(shares: tuple[float, ...]) -> None:
    arms = tuple(Arm(f"arm-{n}", share) for n, share in enumerate(shares))
    counts = arms_of(replace(TWO, arms=arms))
    for arm in arms:
        assert counts[arm.name] / len(UNITS) == pytest.approx(arm.share / sum(shares), abs=0.015)


def test_more_traffic_brings_units_in_and_moves_none() -> None:
    tenth, half = replace(TWO, traffic=0.1), replace(TWO, traffic=0.5)
    assert arms_of(tenth)[None] / len(UNITS) == pytest.approx(0.9, abs=0.015)
    inside = [unit for unit in UNITS if tenth.arm_of(unit) is not None]
    assert all(tenth.arm_of(unit) == half.arm_of(unit) for unit in inside)
    assert arms_of(replace(TWO, traffic=0.0)) == {None: len(UNITS)}
    assert arms_of(TWO)[None] == 0


def test_two_experiments_split_the_same_units_independently() -> None:
    other = replace(TWO, name="sizes")
    both = Counter((TWO.arm_of(unit), other.arm_of(unit)) for unit in UNITS)
    assert all(count / len(UNITS) == pytest.approx(0.25, abs=0.02) for count in both.values())


def test_names_that_begin_alike_split_differently() -> None:
    long = [replace(TWO, name="x" * 60 + end) for end in ("aaaa", "aaab")]
    same = sum(long[0].arm_of(unit) == long[1].arm_of(unit) for unit in UNITS)
    assert same / len(UNITS) == pytest.approx(0.5, abs=0.02)
