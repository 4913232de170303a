import dataclasses

import numpy as np
import pytest
from hand_made import FixedScores, dataset_of, split_of

from app.offline.evaluate import evaluate
from app.offline.metrics import NO_ITEM, UNRANKED, hit_rate_at, ndcg_at

# items a b c d e are rows 0 1 2 3 4
DATA = dataset_of(
    {"ann": [("a", 0), ("b", 1), ("e", 2)], "bob": [("c", 0), ("a", 1), ("c", 2)], "cyd": [("d", 5)]}, items="abcde"
)
LAST = split_of(DATA, test=[2, 5, 6])
FALLING = FixedScores(5, 4, 3, 2, 1)


def test_seen_items_do_not_stand_before_the_target() -> None:
    """ann saw a and b: e comes after c and d. cyd saw nothing: d comes after a, b and c."""
    evaluation = evaluate(DATA, LAST, np.array([2, 6]), FALLING)
    assert evaluation.ranks.tolist() == [2, 3]
    assert evaluation.top[0, :4].tolist() == [2, 3, 4, NO_ITEM]


def test_seen_items_stand_where_they_score_in_data_of_repeats() -> None:
    evaluation = evaluate(dataclasses.replace(DATA, repeats=True), LAST, LAST.test, FALLING)
    assert evaluation.ranks.tolist() == [4, 2, 3]
    assert evaluation.top[0, :5].tolist() == [0, 1, 2, 3, 4]


def test_repeat_target_is_a_miss_under_the_filter() -> None:
    assert evaluate(DATA, LAST, np.array([5]), FALLING).ranks.tolist() == [UNRANKED]


@pytest.mark.parametrize("worthless", [0.0, float("nan"), float("-inf"), float("inf")])
def test_scorer_that_says_nothing_scores_nothing(worthless: float) -> None:
    many = dataset_of(
        {"ann": [(item, second) for second, item in enumerate("abcdefghijklmnopqrst")]}, "abcdefghijklmnopqrst"
    )
    asked = split_of(many, test=[3])
    ranks = evaluate(many, asked, asked.test, FixedScores(*[worthless] * 20)).ranks
    assert (hit_rate_at(ranks, 10).sum(), ndcg_at(ranks, 10).sum()) == (0, 0)


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_batches_make_no_difference(batch: int) -> None:
    assert evaluate(DATA, LAST, LAST.test, FALLING, batch=batch).ranks.tolist() == [2, UNRANKED, 3]


def test_no_questions_give_an_empty_evaluation() -> None:
    evaluation = evaluate(DATA, LAST, LAST.test[:0], FALLING)
    assert (evaluation.ranks.shape, evaluation.top.shape) == ((0,), (0, 20))


def test_question_that_was_trained_on_is_refused() -> None:
    with pytest.raises(ValueError, match="1 questions are training events"):
        evaluate(DATA, LAST, np.array([1, 2]), FALLING)


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"fixed gave scores \(3, 2\), expected \(3, 5\)"):
        evaluate(DATA, LAST, LAST.test, FixedScores(1, 2))


def test_progress_sees_every_batch() -> None:
    seen: list[int] = []

    def track(batches: list[np.ndarray]) -> list[np.ndarray]:
        seen.extend(len(batch) for batch in batches)
        return batches

    evaluate(DATA, LAST, LAST.test, FALLING, batch=2, track=track)
    assert seen == [2, 1]
