import numpy as np
import pytest
from scipy import stats

from app.offline.intervals import bootstrap_interval, paired_difference

RNG = np.random.default_rng(7)


def test_interval_is_that_of_scipy() -> None:
    values = RNG.choice([0.0, 0.5, 1.0], size=400, p=[0.7, 0.2, 0.1])
    judged = stats.bootstrap((values,), np.mean, n_resamples=4_000, method="percentile", rng=1).confidence_interval
    ours = bootstrap_interval(values)
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((judged.low, judged.high), abs=0.006)


def test_users_who_answer_alike_make_the_interval_as_wide_as_they_are_few() -> None:
    """100 users who answer four times the same thing are 100 observations, not 400."""
    per_user = RNG.integers(0, 2, size=100).astype(float)
    repeated, users = np.repeat(per_user, 4), np.repeat(np.arange(100), 4)
    alone, together = bootstrap_interval(per_user), bootstrap_interval(repeated, users)
    assert together.value == alone.value
    assert together.high - together.low == pytest.approx(alone.high - alone.low, abs=0.02)
    assert together.high - together.low > 1.5 * (bootstrap_interval(repeated).high - bootstrap_interval(repeated).low)


def test_mean_is_over_questions_where_users_have_unequal_numbers() -> None:
    assert bootstrap_interval(np.array([1.0, 1.0, 1.0, 0.0]), np.array([5, 5, 5, 9])).value == 0.75


def test_same_values_give_the_same_interval() -> None:
    values = RNG.random(50)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


def test_pairing_sees_a_small_steady_difference_that_two_intervals_hide() -> None:
    theirs = RNG.random(500)
    ours = theirs + 0.01
    difference = paired_difference(ours, theirs)
    assert difference.value == pytest.approx(0.01)
    assert difference.low > 0
    assert bootstrap_interval(ours).low < bootstrap_interval(theirs).high


def test_nothing_to_average_gives_no_number() -> None:
    nothing = bootstrap_interval(np.array([]))
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


def test_pairs_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="3 values against 2"):
        paired_difference(np.zeros(3), np.zeros(2))
