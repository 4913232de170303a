import dataclasses

import numpy as np
import pytest
from hand_made import dataset_of, split_of

from app.offline.questions import (
    history_lengths,
    is_repeat,
    liked_in_training,
    past_events,
    rank_targets,
    sample_questions,
    training_counts,
)

# positions:                 0         1         2         3                    4         5         6
DATA = dataset_of({"ann": [("a", 0), ("b", 1), ("a", 2), ("c", 3)], "bob": [("d", 5), ("a", 6), ("d", 6)]})


def test_past_is_every_earlier_event_of_the_same_user() -> None:
    place, position = past_events(DATA, np.array([3, 4, 6]))
    assert list(zip(place.tolist(), position.tolist(), strict=True)) == [(0, 0), (0, 1), (0, 2), (2, 4), (2, 5)]


def test_past_can_be_cut_to_the_last_events() -> None:
    place, position = past_events(DATA, np.array([3, 5, 6]), last=2)
    assert list(zip(place.tolist(), position.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 4), (2, 4), (2, 5)]


def test_past_ends_where_no_more_is_known() -> None:
    """ann's events are known up to position 2: her last two questions have the same past."""
    data = dataclasses.replace(DATA, known_until=np.array([2, 7]))
    place, position = past_events(data, np.array([2, 3, 6]))
    assert list(zip(place.tolist(), position.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 4), (2, 5)]
    assert history_lengths(data, np.array([1, 3])).tolist() == [1, 2]


def test_what_was_seen_stands_in_nobodys_way_but_in_data_of_repeats() -> None:
    """ann saw a, b and a before c: without them only d beats it."""
    scores = np.array([[9, 9, 1, 5]], dtype=np.float32)
    assert rank_targets(dataclasses.replace(DATA, repeats=True), np.array([3]), scores.copy()).tolist() == [3]
    assert rank_targets(DATA, np.array([3]), scores).tolist() == [1]


def test_no_questions_have_no_past() -> None:
    place, position = past_events(DATA, np.array([], dtype=np.int64))
    assert (len(place), len(position)) == (0, 0)


def test_history_length_counts_from_the_users_first_event() -> None:
    assert history_lengths(DATA, np.array([0, 3, 4, 6])).tolist() == [0, 3, 0, 2]


def test_repeat_is_an_item_of_the_own_history_only() -> None:
    assert is_repeat(DATA, np.array([2, 3, 5, 6])).tolist() == [True, False, False, True]


def test_refusals_in_training_are_not_counted_as_liked() -> None:
    data = dataset_of({"ann": [("a", 0, 1.0), ("b", 1, -1.0), ("a", 2, 0.2), ("b", 3, 1.0)]}, items="abc")
    split = split_of(data, test=[3])
    assert liked_in_training(data, split).tolist() == [True, False, True, False]
    assert training_counts(data, split).tolist() == [2, 0, 0]


@pytest.mark.parametrize(("available", "expected"), [(9, 9), (10, 10), (1_000, 10)])
def test_sample_is_all_or_a_fixed_draw_in_order(available: int, expected: int) -> None:
    sample = sample_questions(np.arange(available), most=10)
    assert len(np.unique(sample)) == len(sample) == expected
    assert (np.diff(sample) > 0).all()
    assert sample.tolist() == sample_questions(np.arange(available), most=10).tolist()
