"""What is known when a question is asked: the events before it, and how often training saw each item.

A question is the position of an event (see `app.offline.split`). Its time and context are known, its item is not.
"""

import numpy as np

from app.domain import BoolArray, FloatArray, IntArray
from app.offline.dataset import Dataset
from app.offline.metrics import pessimistic_ranks
from app.offline.split import Split

VALIDATION_QUESTIONS = 5_000  # enough for a standard error of NDCG@10 under 0.003


def past_events(dataset: Dataset, questions: IntArray, last: int | None = None) -> tuple[IntArray, IntArray]:
    """(place, position), each (P,): event `position` is one of the `last` that came before questions[place].

    Ordered by place, oldest event first. A question without history does not occur.
    """
    lengths = history_lengths(dataset, questions)
    if last is not None:
        lengths = np.minimum(lengths, last)
    place = np.repeat(np.arange(len(questions)), lengths)
    position = np.arange(len(place)) + np.repeat(history_ends(dataset, questions) - np.cumsum(lengths), lengths)
    return place, position


def rank_targets(dataset: Dataset, questions: IntArray, scores: FloatArray) -> IntArray:
    """(Q,): the rank of each question's item, see `app.offline.metrics`. scores: (Q, N), written to as `hide_seen`."""
    hide_seen(dataset, questions, scores)
    return pessimistic_ranks(scores, dataset.rows[questions])


def hide_seen(dataset: Dataset, questions: IntArray, scores: FloatArray) -> None:
    """Give every item of a question's history the score -inf, or none where `dataset.repeats`. scores: (Q, N)."""
    if dataset.repeats:
        return
    place, position = past_events(dataset, questions)
    scores[place, dataset.rows[position]] = -np.inf


def history_lengths(dataset: Dataset, questions: IntArray) -> IntArray:
    """(Q,): how many events the user had before each question."""
    return history_ends(dataset, questions) - dataset.starts[dataset.users[questions]]


def history_ends(dataset: Dataset, questions: IntArray) -> IntArray:
    """(Q,): the position after the last event that is known when the question is asked."""
    if dataset.known_until is None:
        return questions
    return np.minimum(questions, dataset.known_until[dataset.users[questions]])


def is_repeat(dataset: Dataset, questions: IntArray) -> BoolArray:
    """(Q,): the question's item already occurs in its own history."""
    place, position = past_events(dataset, questions)
    again = dataset.rows[position] == dataset.rows[questions[place]]
    return np.bincount(place[again], minlength=len(questions)) > 0


def liked_in_training(dataset: Dataset, split: Split) -> BoolArray:
    """(E,): training events with a weight above 0. Refusals are read as history but never counted as taste."""
    return split.train & (dataset.weights > 0)


def training_counts(dataset: Dataset, split: Split) -> IntArray:
    """(N,): how often each item was liked in training. 0: a cold item."""
    return np.bincount(dataset.rows[liked_in_training(dataset, split)], minlength=dataset.n_items)


def sample_questions(questions: IntArray, most: int = VALIDATION_QUESTIONS) -> IntArray:
    """All of them, or a draw of `most` that is the same every time."""
    if len(questions) <= most:
        return questions
    return np.sort(np.random.default_rng(0).choice(questions, most, replace=False))
