import dataclasses

import numpy as np
import pytest
from hand_made import dataset_of
from hypothesis import given, settings
from hypothesis import strategies as st

from app.offline.dataset import Dataset
from app.offline.questions import past_events
from app.offline.split import Protocol, Split, shuffle, split

REFUSED = -1.0


def test_leave_one_out_asks_for_the_last_and_the_one_before() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1), ("c", 2), ("d", 3)], "bob": [("a", 9), ("b", 9), ("c", 9)]})
    assert told(split(data, Protocol.LEAVE_ONE_OUT)) == {"train": [0, 1, 4], "validation": [2, 5], "test": [3, 6]}


def test_leave_one_out_only_trains_on_users_with_fewer_than_three_liked_events() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1)], "bob": [("a", 0), ("b", 1, REFUSED), ("c", 2)]})
    assert told(split(data, Protocol.LEAVE_ONE_OUT)) == {"train": [0, 1, 2, 3, 4], "validation": [], "test": []}


def test_leave_one_out_never_asks_for_a_refused_item_nor_trains_past_a_question() -> None:
    data = dataset_of(
        {"ann": [("a", 0), ("b", 1), ("c", 2, REFUSED), ("d", 3), ("e", 4, REFUSED), ("f", 5), ("g", 6, REFUSED)]}
    )
    assert told(split(data, Protocol.LEAVE_ONE_OUT)) == {"train": [0, 1, 2], "validation": [3], "test": [5]}


def test_global_time_asks_for_the_last_event_after_the_cut_and_trains_on_none_of_it() -> None:
    """Ten events at seconds 0 to 9: the 0.6 quantile of the times is 6 (next higher); validation asks from 4 on."""
    data = dataset_of(
        {
            "early": [("a", 0), ("b", 1)],
            "late": [("c", 2), ("d", 4), ("e", 7), ("f", 8)],
            "edge": [("a", 3), ("b", 5), ("c", 6)],
            "fresh": [("d", 9)],
        }
    )
    assert told(split(data, Protocol.GLOBAL_TIME, quantile=0.6)) == {
        "train": [0, 1, 2, 6],
        "validation": [3, 7],
        "test": [5, 8],
    }


def test_global_time_passes_over_refusals() -> None:
    data = dataset_of(
        {
            "ann": [("a", 0), ("b", 4), ("c", 5, REFUSED), ("d", 7), ("e", 9, REFUSED)],
            "bob": [("a", 1), ("b", 2), ("c", 3), ("d", 8, REFUSED)],
        }
    )
    halves = split(data, Protocol.GLOBAL_TIME, quantile=0.7)  # cut at 7, window from 4
    assert told(halves) == {"train": [0, 5, 6, 7], "validation": [1], "test": [3]}


def cold_data() -> Dataset:
    rng = np.random.default_rng(1)
    items = "".join(map(chr, range(97, 97 + 26))) + "".join(map(chr, range(65, 65 + 26)))
    return dataset_of(
        {
            f"u{n}": [(items[rng.integers(52)], at, (1.0, 1.0, REFUSED)[rng.integers(3)]) for at in range(6)]
            for n in range(300)
        },
        items=items,
    )


def test_no_event_of_an_item_that_is_asked_for_cold_is_trained_on() -> None:
    data = cold_data()
    halves = split(data, Protocol.COLD_ITEMS)
    trained = set(data.rows[halves.train].tolist())
    for asked in (halves.test, halves.validation):
        assert len(asked) > 5
        assert not trained & set(data.rows[asked].tolist())
    assert not set(data.rows[halves.test].tolist()) & set(data.rows[halves.validation].tolist())


def test_a_cold_question_is_the_last_thing_its_user_liked() -> None:
    data = cold_data()
    halves = split(data, Protocol.COLD_ITEMS)
    for question in (*halves.test, *halves.validation):
        user = data.users[question]
        later = np.arange(question + 1, data.starts[user + 1])
        assert data.weights[question] > 0
        assert (data.weights[later] <= 0).all()
        assert not halves.train[question:][: len(later) + 1].any()


def test_the_cold_items_are_the_same_every_time() -> None:
    one, other = (split(cold_data(), Protocol.COLD_ITEMS) for _ in range(2))
    assert np.array_equal(one.test, other.test)


def test_all_events_at_one_time_leave_nothing_to_train_on() -> None:
    data = dataset_of({"ann": [("a", 5), ("b", 5)]})
    assert told(split(data, Protocol.GLOBAL_TIME)) == {"train": [], "validation": [], "test": [1]}


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    event = st.tuples(st.sampled_from("abcd"), st.integers(0, 9), st.sampled_from([1.0, 0.2, REFUSED]))
    histories = draw(st.lists(st.lists(event, min_size=1, max_size=7), min_size=1, max_size=6))
    return dataset_of({f"u{n}": sorted(history, key=lambda e: e[1]) for n, history in enumerate(histories)})


@given(data=datasets())
@settings(max_examples=40, deadline=None)
def test_a_random_split_asks_for_a_share_of_every_users_events_given_those_trained_on(data: Dataset) -> None:
    mixed = shuffle(data)
    halves = split(mixed, Protocol.RANDOM)
    for user in range(data.n_users):
        own = slice(data.starts[user], data.starts[user + 1])
        assert sorted(zip(mixed.rows[own], mixed.weights[own], strict=True)) == sorted(
            zip(data.rows[own], data.weights[own], strict=True)
        )
        assert halves.train[own].sum() == max(round((own.stop - own.start) * 0.7), 1)
    for questions in (halves.validation, halves.test):
        assert (mixed.weights[questions] > 0).all()
        place, position = past_events(mixed, questions)
        assert halves.train[position].all()
        assert np.array_equal(np.unique(place), np.arange(len(questions))), "a question has a history"
    asked = np.concatenate([halves.validation, halves.test])
    assert len(np.unique(asked)) == len(asked)
    assert not halves.train[asked].any()


def test_a_shuffle_keeps_context_and_event_together_and_is_the_same_every_time() -> None:
    data = dataset_of({"ann": [(item, at) for at, item in enumerate("abcdefgh")]})
    data = dataclasses.replace(data, context={"letter": np.array(list("abcdefgh"))})
    mixed = shuffle(data)
    assert [data.items[row].item_id for row in mixed.rows] == mixed.context["letter"].tolist()
    assert mixed.context["letter"].tolist() != list("abcdefgh")
    assert np.array_equal(mixed.rows, shuffle(data).rows)


def test_a_random_split_of_events_in_order_is_refused() -> None:
    with pytest.raises(ValueError, match="shuffle it"):
        split(dataset_of({"ann": [("a", 5), ("b", 6)]}), Protocol.RANDOM)


@pytest.mark.parametrize("protocol", set(Protocol) - {Protocol.RANDOM})
@given(data=datasets())
@settings(max_examples=80, deadline=None)
def test_no_split_trains_on_a_question_or_on_what_its_user_did_after(protocol: Protocol, data: Dataset) -> None:
    halves = split(data, protocol, quantile=0.7)
    for questions in (halves.validation, halves.test):
        assert len(np.unique(data.users[questions])) == len(questions)
        assert (data.weights[questions] > 0).all()
        assert (questions > data.starts[data.users[questions]]).all(), "a question has a history"
        for question in questions:
            assert not halves.train[question : data.starts[data.users[question] + 1]].any()
    assert not np.intersect1d(halves.validation, halves.test).size


@given(data=datasets())
@settings(max_examples=40, deadline=None)
def test_global_time_trains_on_nothing_as_late_as_a_test_question(data: Dataset) -> None:
    halves = split(data, Protocol.GLOBAL_TIME, quantile=0.7)
    if halves.train.any() and len(halves.test):
        assert data.at_s[halves.train].max() < data.at_s[halves.test].min()


def told(halves: Split) -> dict[str, list[int]]:
    return {
        "train": np.flatnonzero(halves.train).tolist(),
        "validation": halves.validation.tolist(),
        "test": halves.test.tolist(),
    }
