import dataclasses

import numpy as np

from app.domain import FloatArray
from app.interests.phrases import PHRASES_OF_ITEM, Phrasebook
from app.trained import Trained


def book(trained: Trained, labels: list[str], vectors: list[list[float]], baseline: list[float]) -> Phrasebook:
    told = dataclasses.replace(trained, phrases=tuple(labels), phrase_baseline=np.array(baseline, dtype=np.float32))
    return Phrasebook(told, np.array(vectors, dtype=np.float32).reshape(len(labels), -1))


def vector(*numbers: float) -> FloatArray:
    return np.array(numbers, dtype=np.float32)


def match(phrases: Phrasebook, interest: FloatArray, item: FloatArray) -> tuple[str, ...]:
    return phrases.shared(interest[None], np.array([0]), item[None])[0]


def test_a_phrase_is_scored_by_how_much_more_than_usual_it_is_wanted(tiny_trained: Trained) -> None:
    """drama scores 2 with everybody and 3 here: 1 more. space 0 and 2: 2 more."""
    phrases = book(tiny_trained, ["drama", "space"], [[1, 0], [0, 1]], [2, 0])
    assert phrases.score(vector(3, 2)[None]).tolist() == [[1, 2]]
    assert phrases.label_interests(vector(3, 2)[None]) == [("space", "drama")]


def test_an_interest_has_three_phrases_at_most_and_ties_stay_in_order(tiny_trained: Trained) -> None:
    phrases = book(tiny_trained, list("abcd"), [[1], [1], [2], [1]], [0] * 4)
    assert phrases.label_interests(vector(1)[None]) == [("c", "a", "b")]


def test_without_phrases_an_interest_has_no_name(tiny_trained: Trained) -> None:
    phrases = Phrasebook(
        dataclasses.replace(tiny_trained, phrases=(), phrase_baseline=np.empty(0, np.float32)), np.empty((0, 2))
    )
    assert phrases.label_interests(np.ones((2, 2), dtype=np.float32)) == [(), ()]
    assert match(phrases, vector(1, 1), vector(1, 1)) == ()


def test_a_match_is_true_of_the_item_and_wanted(tiny_trained: Trained) -> None:
    """The eight phrases closest to the item are along its axis; what is wanted most of all is along the other."""
    vectors = [[0.0, 1.0], *([n / 10, 0.1 * n] for n in range(1, PHRASES_OF_ITEM + 1))]
    labels = ["wanted elsewhere", *(f"of the item {n}" for n in range(1, PHRASES_OF_ITEM + 1))]
    phrases = book(tiny_trained, labels, vectors, [0.0] * len(labels))
    assert match(phrases, vector(0, 1), vector(1, 0))[0] == f"of the item {PHRASES_OF_ITEM}"


def test_what_is_wanted_no_more_than_usual_is_no_match(tiny_trained: Trained) -> None:
    phrases = book(tiny_trained, ["drama"], [[1, 0]], [3])
    assert match(phrases, vector(3, 0), vector(1, 0)) == ()
    assert match(phrases, vector(3.5, 0), vector(1, 0)) == ("drama",)


def test_every_item_is_matched_with_its_own_interest(tiny_trained: Trained) -> None:
    phrases = book(tiny_trained, ["drama", "space"], [[1, 0], [0, 1]], [0, 0])
    interests = np.array([[1, 0], [0, 1]], dtype=np.float32)
    items = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert phrases.shared(interests, np.array([0, 1, 1]), items) == [("drama",), ("space",), ("space",)]
    assert phrases.shared(interests, np.array([], dtype=np.int64), items[:0]) == []
