import dataclasses

import numpy as np
import pytest
from hand_made import FixedScores, dataset_of, split_of

from app.offline.dataset import Dataset
from app.offline.pairs import NEGATIVES, auc_of_pairs, draw_negatives


def data(histories: dict[str, str], places: str, items: str = "abcdef") -> Dataset:
    """Every event of one letter, in the place of the same position of `places`."""
    told = dataset_of({user: [(item, at) for at, item in enumerate(had)] for user, had in histories.items()}, items)
    return dataclasses.replace(told, context={"place": np.array(list(places))})


def test_a_negative_is_nothing_that_the_user_had_in_that_context() -> None:
    """At home (h) ann had a to d, at work (w) e: asked at home, e and f are left; asked at work, all but e."""
    shop = data({"ann": "abcde", "bob": "f"}, "hhhhwh")
    questions = np.repeat([3, 4], 200)
    drawn = draw_negatives(shop, questions)
    assert drawn.shape == (400, NEGATIVES)
    assert set(drawn[:200].ravel().tolist()) == {4, 5}
    assert set(drawn[200:].ravel().tolist()) == {0, 1, 2, 3, 5}


def test_negatives_are_the_same_every_time() -> None:
    shop = data({"ann": "abcde"}, "hhhhw")
    assert np.array_equal(draw_negatives(shop, np.array([3, 4])), draw_negatives(shop, np.array([3, 4])))


def test_a_ranker_that_knows_has_an_auc_of_one_and_one_that_says_nothing_of_a_half() -> None:
    shop = data({"ann": "aab", "bob": "aab", "cyd": "bba"}, "hwhhwhhwh")
    asked = split_of(shop, test=[2, 5])  # both ask for b; a was had at home: c to f are the negatives
    assert auc_of_pairs(shop, asked, FixedScores(0, 9, 1, 2, 3, 4)) == 1.0
    assert auc_of_pairs(shop, asked, FixedScores(9, 0, 1, 2, 3, 4)) == 0.0
    assert auc_of_pairs(shop, asked, FixedScores(1, 1, 1, 1, 1, 1)) == 0.5


def test_scores_of_different_questions_are_compared_as_shares() -> None:
    """Ranker of one user adds 100 to everything: as shares nothing has changed."""

    class Louder:
        name = "louder"

        def scores(self, questions: np.ndarray) -> np.ndarray:
            base = np.array([[0, 3, 1, 1, 1, 1]], dtype=np.float32)
            return np.repeat(base, len(questions), axis=0) + np.where(questions == 2, 100, 0)[:, None]

    shop = data({"ann": "aab", "bob": "aab"}, "hwhhwh")
    assert auc_of_pairs(shop, split_of(shop, test=[2, 5]), Louder()) == 1.0


def test_nothing_asked_has_no_auc() -> None:
    shop = data({"ann": "ab"}, "hh")
    assert np.isnan(auc_of_pairs(shop, split_of(shop, test=[]), FixedScores(1, 2, 3, 4, 5, 6)))


@pytest.mark.parametrize("context", [{}, {"place": np.array(list("hwhhwh"))}])
def test_data_without_context_are_one_context(context: dict[str, np.ndarray]) -> None:
    shop = dataclasses.replace(data({"ann": "abc", "bob": "abc"}, "hhhhhh"), context=context)
    had = {0, 2} if context else {0, 1, 2}
    assert not had & set(draw_negatives(shop, np.repeat(2, 50)).ravel().tolist())
