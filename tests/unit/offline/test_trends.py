import dataclasses

import numpy as np
import pytest
from hand_made import dataset_of
from hypothesis import given
from hypothesis import strategies as st

from app.offline.trends import Trends
from app.scoring.trend import decay, trend

DAY_S = 86_400


def by_hand(at_s: np.ndarray, rows: np.ndarray, share: np.ndarray, now_s: int, half_life_days: float) -> np.ndarray:
    before = at_s < now_s
    lately = np.bincount(rows[before], decay(now_s - at_s[before], half_life_days), minlength=len(share))
    return trend(lately.astype(np.float32), share)


@given(
    st.lists(st.tuples(st.integers(0, 90 * DAY_S), st.integers(0, 4)), max_size=40),
    st.lists(st.integers(0, 120 * DAY_S), max_size=8),
    st.sampled_from([1.0, 7.0, 30.0]),
)
def test_every_moment_is_told_the_likes_before_it_and_no_other(
    likes: list[tuple[int, int]], moments: list[int], half_life_days: float
) -> None:
    at_s, rows = np.array(sorted(likes), dtype=np.int64).reshape(-1, 2).T
    share = np.maximum(np.bincount(rows, minlength=5), 0.5) / max(len(rows), 1)
    told = Trends(at_s, rows, share).at(np.array(moments, dtype=np.int64), half_life_days)
    assert told.shape == (len(moments), 5)
    for now_s, each in zip(moments, told, strict=True):
        assert each == pytest.approx(by_hand(at_s, rows, share, now_s, half_life_days), abs=1e-4)


def test_what_happens_in_the_same_second_is_not_before() -> None:
    trends = Trends(np.array([100, 200]), np.array([0, 1]), np.array([0.5, 0.5]))
    first, later = trends.at(np.array([100, 201]), 7.0)
    assert not first.any()
    assert later[0] == pytest.approx(later[1], abs=1e-4)


def test_only_likes_count_and_none_where_the_data_has_no_clock() -> None:
    dataset = dataset_of({"u": [("a", 0), ("b", 10), ("a", 20)]})
    liked = np.array([True, False, True])
    trends = Trends.of(dataset, liked, np.array([1.0, 0.2]))
    assert (trends.at_s.tolist(), trends.rows.tolist()) == ([0, 20], [0, 0])
    timeless = Trends.of(dataclasses.replace(dataset, has_times=False), liked, np.array([1.0, 0.2]))
    assert not timeless.at(np.array([50]), 7.0).any()
