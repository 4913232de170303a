import numpy as np
from hand_made import dataset_of, split_of

from app.offline.slices import slice_questions

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def names_of(slices: dict, place: int, prefix: str) -> list[str]:
    return [name for name, inside in slices.items() if name.startswith(prefix) and inside[place]]


def test_gaps_are_to_the_previous_event_of_the_user() -> None:
    seconds = [0, 0, 59, 59 + MINUTE, 59 + MINUTE + HOUR, 59 + MINUTE + HOUR + DAY]
    data = dataset_of({"ann": [("a", second) for second in seconds]})
    slices = slice_questions(data, split_of(data, test=[]), np.arange(6))
    assert [names_of(slices, place, "gap") for place in range(6)] == [
        [],
        ["gap_0s"],
        ["gap_to_1min"],
        ["gap_to_1h"],
        ["gap_to_1day", "gap_from_1h"],
        ["gap_from_1day", "gap_from_1h"],
    ]


def test_data_without_times_have_no_gaps() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1)]}, has_times=False)
    assert not [name for name in slice_questions(data, split_of(data, [1]), split_of(data, [1]).test) if "gap" in name]


def test_frequency_counts_training_events_of_the_target() -> None:
    trained_on = "a" + "b" * 5 + "c" * 6 + "d" * 21
    data = dataset_of({"ann": [(item, 0) for item in trained_on + "abcde"]})
    split = split_of(data, test=range(33, 38))
    slices = slice_questions(data, split, split.test)
    assert [names_of(slices, place, "frequency") for place in range(5)] == [
        ["frequency_1_5"],
        ["frequency_1_5"],
        ["frequency_6_20"],
        ["frequency_21_up"],
        ["frequency_0"],
    ]


def test_history_counts_all_events_before_the_question() -> None:
    data = dataset_of({"ann": [("a", 0)] * 60})
    split = split_of(data, test=[0, 1, 5, 6, 20, 21, 50, 51])
    slices = slice_questions(data, split, split.test)
    assert [names_of(slices, place, "history") for place in range(8)] == [
        ["history_0"],
        *[["history_1_5"]] * 2,
        *[["history_6_20"]] * 2,
        *[["history_21_50"]] * 2,
        ["history_51_up"],
    ]


def test_every_question_is_either_repeat_or_new() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1), ("a", 2)]})
    split = split_of(data, test=[1, 2])
    slices = slice_questions(data, split, split.test)
    assert (slices["repeat"].tolist(), slices["new"].tolist()) == ([False, True], [True, False])
