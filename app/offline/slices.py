"""Kinds of questions that are told apart in every report: an average hides which of them a ranker is good at."""

import numpy as np

from app.domain import BoolArray, IntArray
from app.offline.dataset import Dataset
from app.offline.questions import history_lengths, is_repeat, training_counts
from app.offline.split import Split

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def slice_questions(dataset: Dataset, split: Split, questions: IntArray) -> dict[str, BoolArray]:
    """Name of each slice to its (Q,) mask, four partitions in reading order.

    gap_*: time since the user's previous event; gap_from_1h repeats the two before it together. Questions without a
    previous event are in none of them, and data without times have none. frequency_*: training events of the target.
    history_*: events before the question. repeat: the target is already in the history; new: it is not.
    """
    repeat = is_repeat(dataset, questions)
    return {
        **(_gap_slices(dataset, questions) if dataset.has_times else {}),
        **_ranges("frequency", training_counts(dataset, split)[dataset.rows[questions]], tops=(0, 5, 20)),
        **_ranges("history", history_lengths(dataset, questions), tops=(0, 5, 20, 50)),
        "repeat": repeat,
        "new": ~repeat,
    }


def _gap_slices(dataset: Dataset, questions: IntArray) -> dict[str, BoolArray]:
    asked_before = history_lengths(dataset, questions) > 0
    gap_s = np.where(asked_before, dataset.at_s[questions] - dataset.at_s[np.maximum(questions - 1, 0)], -1)
    return {
        "gap_0s": gap_s == 0,
        "gap_to_1min": (gap_s > 0) & (gap_s < MINUTE_S),
        "gap_to_1h": (gap_s >= MINUTE_S) & (gap_s < HOUR_S),
        "gap_to_1day": (gap_s >= HOUR_S) & (gap_s < DAY_S),
        "gap_from_1day": gap_s >= DAY_S,
        "gap_from_1h": gap_s >= HOUR_S,
    }


def _ranges(name: str, numbers: IntArray, tops: tuple[int, ...]) -> dict[str, BoolArray]:
    """tops: the last number of each range; tops (0, 5) give name_0, name_1_5 and name_6_up."""
    bottoms = (0, *(top + 1 for top in tops))
    ranges = {
        f"{name}_{top}" if bottom == top else f"{name}_{bottom}_{top}": (numbers >= bottom) & (numbers <= top)
        for bottom, top in zip(bottoms, tops, strict=False)
    }
    return {**ranges, f"{name}_{bottoms[-1]}_up": numbers >= bottoms[-1]}
