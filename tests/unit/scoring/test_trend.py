from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring.trend import decay, trend

SHARE = np.array([0.5, 0.3, 0.2], dtype=np.float32)


def test_the_trend_is_the_log_of_what_came_lately_over_what_was_to_be_expected() -> None:
    told = trend(np.array([1.0, 8.0, 1.0], dtype=np.float32), SHARE)
    assert told == pytest.approx([log(2 / 6), log(9 / 4), log(2 / 3)], abs=1e-6)


def test_where_nothing_happened_lately_no_item_has_a_trend() -> None:
    assert not trend(np.zeros((2, 3), dtype=np.float32), SHARE).any()


def test_an_item_that_training_never_saw_rises_with_its_first_likes() -> None:
    assert trend(np.array([0.0, 0.0, 4.0], dtype=np.float32), np.array([0.5, 0.5, 0.0005]))[2] == pytest.approx(
        log(5), abs=0.01
    )


def test_beside_the_whole_prior_many_recent_likes_make_the_recent_share() -> None:
    lately = np.array([1e5, 8e5, 1e5], dtype=np.float32)
    whole = np.log(SHARE) + trend(lately, SHARE)
    assert whole == pytest.approx(np.log(lately / lately.sum()), abs=1e-3)


@given(st.integers(0, 10**9), st.floats(0.5, 100))
def test_a_like_counts_half_after_the_half_life(age_s: int, half_life_days: float) -> None:
    later_s = age_s + round(half_life_days * 86_400)
    now, later = decay(np.array([age_s, later_s]), half_life_days)
    assert later == pytest.approx(now / 2, rel=1e-4, abs=1e-30)
