"""Intervals that may be looked at after every hundred users, by simulation: they err as seldom as they say."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.experiments.sequential import FEWEST_UNITS, always_valid_interval

RUNS, LOOKS, EVERY = 600, 100, 100
CONFIDENCE = 0.95

counts = st.integers(FEWEST_UNITS, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def successes(rate: float, seed: int) -> npt.NDArray[np.int64]:
    """(RUNS, LOOKS) successes of one arm after EVERY, 2 * EVERY ... units."""
    drawn = np.random.default_rng(seed).binomial(EVERY, rate, (RUNS, LOOKS))
    return drawn.cumsum(axis=1)


def looks(rate: float, base_rate: float, effect: float) -> list[list[tuple[float, float]]]:
    """For each run the intervals at all looks."""
    one, base = successes(rate, seed=1), successes(base_rate, seed=2)
    units = [EVERY * (look + 1) for look in range(LOOKS)]
    found = []
    for run in range(RUNS):
        told = (
            always_valid_interval(
                int(one[run, n]), units[n], int(base[run, n]), units[n], effect=effect, confidence=0.95
            )
            for n in range(LOOKS)
        )
        found.append([(interval.low, interval.high) for interval in told])
    return found


@pytest.mark.parametrize(("base_rate", "effect"), [(0.05, 0.01), (0.1, 0.02), (0.5, 0.02), (0.1, 0.2)])
def test_looked_at_a_hundred_times_an_experiment_that_changes_nothing_is_called_in_few_of_a_hundred(
    base_rate: float, effect: float
) -> None:
    called = [any(low > 0 or high < 0 for low, high in run) for run in looks(base_rate, base_rate, effect)]
    assert np.mean(called) <= (1 - CONFIDENCE) + 2 * np.sqrt(0.05 * 0.95 / RUNS)


def test_an_ordinary_interval_looked_at_as_often_errs_many_times_as_often() -> None:
    """Why all this is needed."""
    one, base = successes(0.1, seed=1), successes(0.1, seed=2)
    units = EVERY * np.arange(1, LOOKS + 1)
    rates = one / units, base / units
    spread = np.sqrt(sum(rate * (1 - rate) / units for rate in rates))
    called = (np.abs(rates[0] - rates[1]) > 1.96 * spread).any(axis=1)
    assert called.mean() > 0.25


@pytest.mark.parametrize("difference", [0.01, 0.02, 0.05])
def test_the_true_difference_lies_in_the_interval_at_all_looks_together(difference: float) -> None:
    missed = [
        any(not low <= difference <= high for low, high in run) for run in looks(0.1 + difference, 0.1, effect=0.02)
    ]
    assert np.mean(missed) <= (1 - CONFIDENCE) + 2 * np.sqrt(0.05 * 0.95 / RUNS)


def test_a_real_difference_is_found() -> None:
    """Two points on ten per cent, 10,000 users in each arm: an ordinary test would find 99 of 100."""
    found = [any(low > 0 for low, _ in run) for run in looks(0.12, 0.1, effect=0.02)]
    assert np.mean(found) > 0.85


def test_with_few_units_nothing_is_said() -> None:
    few = always_valid_interval(FEWEST_UNITS - 1, FEWEST_UNITS - 1, 0, 10_000, effect=0.02, confidence=CONFIDENCE)
    assert (few.low, few.high) == (-1, 1)


@settings(deadline=None)
@given(counts, counts, st.floats(0.0001, 0.5), st.floats(0.8, 0.999))
def test_the_interval_holds_the_difference_found_and_turns_around_with_the_arms(
    one: tuple[int, int], base: tuple[int, int], effect: float, confidence: float
) -> None:
    interval = always_valid_interval(*one, *base, effect=effect, confidence=confidence)
    turned = always_valid_interval(*base, *one, effect=effect, confidence=confidence)
    assert -1 <= interval.low <= one[0] / one[1] - base[0] / base[1] <= interval.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-interval.high, -interval.low))
