from datetime import UTC, datetime
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring.prior import (
    BUCKET_NAMES,
    N_BUCKETS,
    PRIOR_DIM,
    TREND,
    bucket_of,
    buckets_of,
    long_run_share,
    popularity_prior,
    unseen_events,
    unseen_prior,
)

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


def test_prior_is_the_log_of_the_share_times_the_shrunk_lift_of_the_bucket() -> None:
    """Item 0 has 3 of 4 events, two on Monday night and one on Saturday; Monday night holds 3 of 4 of all."""
    at_s = np.array([MONDAY, MONDAY, MONDAY + 5 * 86_400, MONDAY])
    prior = popularity_prior(np.array([0, 0, 0, 1]), at_s, n_items=2)
    assert prior.shape == (2, PRIOR_DIM)
    assert prior[0, 0] == pytest.approx(log(2 * 3 / 4 * (2 + 100) / (3 * 3 / 4 + 100)), abs=1e-6)
    assert prior[1, 4] == pytest.approx(log(2 * 1 / 4 * (0 + 100) / (1 * 1 / 4 + 100)), abs=1e-6)


def test_a_bucket_without_events_has_the_popularity_of_all() -> None:
    prior = popularity_prior(np.array([0, 0, 0, 1]), np.full(4, MONDAY), n_items=2)
    assert prior[0, 7] == pytest.approx(log(2 * 3 / 4), abs=1e-6)


def test_when_an_item_is_wanted_is_believed_only_of_many_events() -> None:
    """Both fall on Saturdays alone, one 2 times and one 2,000 times, in a catalogue wanted on Mondays."""
    rows = np.repeat([0, 1, 2], [2, 2_000, 20_000])
    at_s = np.where(rows < 2, MONDAY + 5 * 86_400, MONDAY)
    lift = popularity_prior(rows, at_s, n_items=3)[:, 4] - np.log(3 * np.bincount(rows) / len(rows))
    assert 0 < lift[0] < 0.05
    assert lift[1] > 1.5


def test_an_item_of_average_popularity_has_a_prior_of_zero() -> None:
    prior = popularity_prior(np.repeat(np.arange(5), 3), np.full(15, MONDAY), n_items=5)
    assert np.abs(prior).max() < 1e-6


def test_more_events_in_a_bucket_never_lower_the_prior_there() -> None:
    rows = np.repeat(np.arange(4), [1, 5, 20, 80])
    prior = popularity_prior(rows, np.full(len(rows), MONDAY), n_items=4)
    assert (np.diff(prior[:, :N_BUCKETS], axis=0) > 0).all()


def events_of(counts: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, MONDAY + np.random.default_rng(seed).integers(0, 14 * 86_400, len(rows))


def test_an_unseen_item_is_as_popular_as_a_trained_one_without_events() -> None:
    counts = [5, 80, 0, 300]
    events = events_of(counts)
    prior = popularity_prior(*events, n_items=4)
    assert prior[2] == pytest.approx(unseen_prior(np.array(counts), unseen_events(*events, 4)), abs=1e-6)


def test_where_nothing_ever_arrived_an_unseen_item_counts_as_half_an_event_wherever_it_is_wanted() -> None:
    rows, at_s = np.tile(np.arange(3), 40), MONDAY + np.arange(120)
    assert unseen_events(rows, at_s, 4) == 0.5
    unseen = unseen_prior(np.bincount(rows, minlength=4), 0.5)
    assert unseen[:N_BUCKETS] == pytest.approx(np.full(N_BUCKETS, log(4 * 0.5 / 120)))
    assert (unseen <= popularity_prior(rows, at_s, n_items=4))[:, :N_BUCKETS].all()


def test_an_unseen_item_is_promised_what_arrivals_have_come_to() -> None:
    """Of the newest 10 of 100 events 4 fell on item 8, unmet before them as items 8 to 27 were: 0.4 / 20 of all."""
    rows = np.concatenate([np.tile(np.arange(8), 12)[:90], [8] * 4, [0] * 6])
    assert unseen_events(rows, np.arange(100), n_items=28) == pytest.approx(100 * 0.4 / 20)


def test_a_newcomer_is_not_promised_more_than_the_average() -> None:
    rows = np.concatenate([np.tile(np.arange(8), 12)[:90], [8] * 10])
    assert unseen_events(rows, np.arange(100), n_items=10) == pytest.approx(10)


def test_the_order_of_the_events_in_time_counts_and_not_that_of_the_rows() -> None:
    rows, at_s = np.concatenate([np.tile(np.arange(8), 12)[:90], [8] * 10]), np.arange(100)
    shuffled = np.random.default_rng(0).permutation(100)
    assert unseen_events(rows[shuffled], at_s[shuffled], 40) == pytest.approx(unseen_events(rows, at_s, 40))


def test_without_events_an_unseen_item_counts_as_little_as_can_be() -> None:
    assert unseen_events(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 3) == 0.5


def test_training_leaves_the_trend_to_what_happens_later() -> None:
    assert not popularity_prior(*events_of([5, 80, 0]), n_items=3)[:, TREND].any()
    assert unseen_prior(np.array([5, 80, 0]), 0.5)[TREND] == 0


def test_the_share_of_an_item_without_events_is_that_of_what_it_counts_as() -> None:
    assert long_run_share(np.array([3, 0, 1]), 0.5) == pytest.approx([0.75, 0.125, 0.25])
