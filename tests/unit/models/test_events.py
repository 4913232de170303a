from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.events import (
    N_GAPS,
    NO_GAP,
    NO_HOUR,
    NO_WEEKDAY,
    EventFeatures,
    TimeBias,
    event_batch,
    gap_buckets,
    hours_of,
    to_tensor,
    weekdays_of,
    weight_buckets,
)

TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - hypothesis wants them naive


@pytest.mark.parametrize(
    ("gap_s", "bucket"),
    [
        (-5, 0),  # out of order: as if at once
        (0, 0),
        (1, 1),  # ln 2 = 0.69
        (60, 8),  # ln 61 = 4.11
        (3_600, 16),  # ln 3601 = 8.19
        (86_400, 22),  # ln 86401 = 11.37
        (10**12, 39),  # past the last edge
    ],
)
def test_gap_bucket_is_twice_the_log_of_the_seconds(gap_s: int, bucket: int) -> None:
    assert gap_buckets(np.array([gap_s])).tolist() == [bucket]


@given(st.lists(st.integers(-(10**6), 10**10), min_size=2, max_size=20))
def test_gap_buckets_grow_with_the_gap_and_stay_in_their_table(gaps_s: list[int]) -> None:
    buckets = gap_buckets(np.array(sorted(gaps_s)))
    assert (np.diff(buckets) >= 0).all()
    assert 0 <= buckets.min() <= buckets.max() < NO_GAP


@given(TIMES)
def test_hours_and_weekdays_are_the_calendars(at: datetime) -> None:
    at_s = np.array([int(at.replace(tzinfo=UTC).timestamp())])
    assert (hours_of(at_s)[0], weekdays_of(at_s)[0]) == (at.hour, at.weekday())


def test_first_of_january_1970_was_a_thursday_and_of_2024_a_monday() -> None:
    assert weekdays_of(np.array([0, 1_704_067_200])).tolist() == [3, 0]


@pytest.mark.parametrize(
    ("weight", "bucket"),
    [(-1.0, 0), (-0.2, 1), (0.0, 2), (0.2, 2), (0.3, 3), (0.5, 4), (0.7, 5), (0.8, 5), (0.9, 6), (1.0, 7)],
)
def test_weights_fall_into_eight_buckets(weight: float, bucket: int) -> None:
    assert weight_buckets(np.array([weight], dtype=np.float32)).tolist() == [bucket]


def batch_of(at_s: list[int], *, has_times: bool = True) -> object:
    n = len(at_s)
    return event_batch(
        text=np.zeros((1, n, 2), dtype=np.float32),
        rows=np.arange(1, n + 1)[None],
        at_s=np.array([at_s]),
        weights=np.ones((1, n), dtype=np.float32),
        lengths=np.array([n]),
        has_times=has_times,
    )


def test_gap_of_an_event_is_the_time_since_the_one_before_and_the_first_has_none() -> None:
    assert batch_of([1_000, 1_060, 4_660]).gaps.tolist() == [[NO_GAP, 8, 16]]


def test_without_a_clock_nothing_is_told_of_time() -> None:
    batch = batch_of([0, 1, 2], has_times=False)
    assert batch.hours.tolist() == [[NO_HOUR] * 3]
    assert batch.weekdays.tolist() == [[NO_WEEKDAY] * 3]
    assert batch.gaps.tolist() == [[NO_GAP] * 3]


def test_a_batch_moves_whole() -> None:
    moved = batch_of([0, 1]).to(torch.device("meta"))
    assert {getattr(moved, name).device.type for name in moved.__slots__} == {"meta"}


def test_fresh_features_add_nothing_to_a_pretrained_model() -> None:
    assert EventFeatures(4)(batch_of([0, 60])).abs().max() == 0


def test_features_are_the_sum_of_four_tables() -> None:
    features = EventFeatures(1)
    with torch.no_grad():
        features.weight.weight[7] = 1.0
        features.hour.weight[3] = 10.0
        features.weekday.weight[0] = 100.0
        features.gap.weight[8] = 1_000.0
    monday_at_three = 1_704_067_200 + 3 * 3_600
    assert features(batch_of([monday_at_three - 60, monday_at_three])).squeeze().tolist() == [101.0, 1_111.0]


def test_time_bias_reads_elapsed_time_and_shuts_out_what_comes_later() -> None:
    bias = TimeBias(heads=1, has_times=True)
    with torch.no_grad():
        bias.bias.weight[:, 0] = torch.arange(N_GAPS).float()
    inf = float("-inf")
    assert bias(torch.tensor([[0, 60, 3_660]]))[0, 0].tolist() == [[0, inf, inf], [8, 0, inf], [16, 16, 0]]


def test_time_bias_without_a_clock_is_the_causal_mask_alone() -> None:
    bias = TimeBias(heads=2, has_times=False)
    with torch.no_grad():
        bias.bias.weight.fill_(5.0)
    mask = bias(torch.tensor([[0, 60], [0, 1]]))
    assert mask.shape == (2, 2, 2, 2)
    assert mask[1, 1].tolist() == [[0, float("-inf")], [0, 0]]


@pytest.mark.parametrize("offset", range(4))
def test_tensors_start_where_products_are_repeatable_wherever_the_array_did(offset: int) -> None:
    array = np.arange(1_000, dtype=np.float32)[offset:]
    assert to_tensor(array).data_ptr() % 64 == 0
    assert to_tensor(array).tolist() == array.tolist()
