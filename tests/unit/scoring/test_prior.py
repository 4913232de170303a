from datetime import UTC, datetime
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring.prior import BUCKET_NAMES, N_BUCKETS, bucket_of, buckets_of, popularity_prior, unseen_prior

MONDAY = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("at", "name"),
    [
        (datetime(2024, 1, 1, 0, tzinfo=UTC), "weekday night"),
        (datetime(2024, 1, 5, 23, 59, 59, tzinfo=UTC), "weekday evening"),
        (datetime(2024, 1, 6, 6, tzinfo=UTC), "weekend morning"),
        (datetime(2024, 1, 7, 12, tzinfo=UTC), "weekend day"),
    ],
)
def test_a_time_belongs_to_a_part_of_the_week(at: datetime, name: str) -> None:
    assert BUCKET_NAMES[bucket_of(at)] == name


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - hypothesis wants them naive
def test_parts_of_the_week_follow_the_calendar(at: datetime) -> None:
    assert bucket_of(at.replace(tzinfo=UTC)) == at.hour // 6 + 4 * (at.weekday() >= 5)


def test_many_times_have_the_buckets_of_each() -> None:
    assert buckets_of(np.array([MONDAY, MONDAY + 21_600, MONDAY + 5 * 86_400])).tolist() == [0, 1, 4]


def test_prior_is_the_log_of_the_shrunk_share_in_the_bucket() -> None:
    """Item 0 has 3 of 4 events: p = (3 + 1) / (4 + 2). All four fell into one bucket."""
    prior = popularity_prior(np.array([0, 0, 0, 1]), np.full(4, MONDAY), n_items=2)
    assert prior.shape == (2, N_BUCKETS)
    assert prior[0, 0] == pytest.approx(log(2 * (3 + 1_000 * 4 / 6) / (4 + 1_000)), abs=1e-6)
    assert prior[1, 0] == pytest.approx(log(2 * (1 + 1_000 * 2 / 6) / (4 + 1_000)), abs=1e-6)


def test_a_bucket_without_events_has_the_popularity_of_all() -> None:
    prior = popularity_prior(np.array([0, 0, 0, 1]), np.full(4, MONDAY), n_items=2)
    assert prior[0, 7] == pytest.approx(log(2 * 4 / 6), abs=1e-6)


def test_an_item_of_average_popularity_has_a_prior_of_zero() -> None:
    prior = popularity_prior(np.repeat(np.arange(5), 3), np.full(15, MONDAY), n_items=5)
    assert np.abs(prior).max() < 1e-6


def test_more_events_in_a_bucket_never_lower_the_prior_there() -> None:
    rows = np.repeat(np.arange(4), [1, 5, 20, 80])
    prior = popularity_prior(rows, np.full(len(rows), MONDAY), n_items=4)
    assert (np.diff(prior, axis=0) > 0).all()


def events_of(counts: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, MONDAY + np.random.default_rng(seed).integers(0, 14 * 86_400, len(rows))


def test_an_unseen_item_is_as_popular_as_a_trained_one_without_events() -> None:
    counts = [5, 80, 0, 300]
    prior = popularity_prior(*events_of(counts), n_items=4)
    assert np.array_equal(unseen_prior(prior, np.array(counts)), prior[2])


def test_where_every_item_has_events_an_unseen_one_has_what_the_formula_gives_for_none() -> None:
    counts = [1, 1, 1, 1, 80, 300]
    rows, at_s = events_of(counts)
    per_bucket = np.bincount(buckets_of(at_s), minlength=N_BUCKETS)
    n, n_items = len(rows), len(counts)
    expected = np.log(n_items * 1_000 * (1 / (n + n_items)) / (per_bucket + 1_000))
    unseen = unseen_prior(popularity_prior(rows, at_s, n_items), np.array(counts))
    assert unseen == pytest.approx(expected, abs=1e-5)
