import numpy as np
import pytest
from hand_made import FixedScores, dataset_of, split_of

from app.errors import DataError
from app.offline.baselines.tuning import Baseline, LeftOut, list_baselines, tune, tune_baselines

# validation asks for e, test for d
DATA = dataset_of({"ann": [("a", 0), ("e", 1), ("d", 2)]}, items="abcde")
SPLIT = split_of(DATA, test=[2], validation=[1])


def fit_favourite(data: object, split: object, *, row: float) -> FixedScores:
    return FixedScores(*(1.0 if place == row else 0.0 for place in range(5)))


def refuse(data: object, split: object) -> FixedScores:
    raise DataError("too many items")


def test_validation_chooses_and_test_has_no_say() -> None:
    tuned = tune(Baseline("favourite", fit_favourite, ({"row": 3}, {"row": 4}, {"row": 0})), DATA, SPLIT)
    assert tuned.arguments == {"row": 4}
    assert tuned.ndcg10 == 1.0
    assert np.argmax(tuned.ranker.scores(SPLIT.test)) == 4


def test_first_of_equals_is_kept() -> None:
    grid = ({"row": 2}, {"row": 1})
    assert tune(Baseline("favourite", fit_favourite, grid), DATA, SPLIT).arguments == {"row": 2}


def test_without_validation_questions_the_first_arguments_are_kept() -> None:
    grid = ({"row": 2}, {"row": 4})
    assert tune(Baseline("favourite", fit_favourite, grid), DATA, split_of(DATA, test=[2])).arguments == {"row": 2}


def test_baseline_that_cannot_run_is_named_with_its_reason() -> None:
    favourite = Baseline("favourite", fit_favourite, ({"row": 1},))
    found = list(tune_baselines(DATA, SPLIT, [Baseline("hungry", refuse, ({},)), favourite]))
    assert found[0] == LeftOut("hungry", "too many items")
    assert found[1].arguments == {"row": 1}


def test_empty_grid_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="favourite has an empty grid"):
        tune(Baseline("favourite", fit_favourite, ()), DATA, SPLIT)


def test_text_baselines_are_listed_only_where_there_is_text() -> None:
    without, with_text = list_baselines(), list_baselines(np.zeros((5, 2), dtype=np.float32))
    assert [b.name for b in without] == ["popularity", "recent_popularity", "markov", "item_knn", "als", "ease"]
    assert [b.name for b in with_text[6:]] == ["text_similarity", "markov_text"]
