from dataclasses import replace

import numpy as np
import pytest
from tiny import N_ITEMS

from app.offline.bundle_ranker import BundleRanker
from app.offline.dataset import Dataset
from app.offline.split import Protocol, split
from app.scoring.prior import buckets_of
from app.trained import Trained
from models.space import Blend


@pytest.fixture
def train(tiny_dataset: Dataset) -> np.ndarray:
    return split(tiny_dataset, Protocol.LEAVE_ONE_OUT).train


@pytest.fixture
def questions(tiny_dataset: Dataset) -> np.ndarray:
    return split(tiny_dataset, Protocol.LEAVE_ONE_OUT).test


def test_every_item_is_scored_for_every_question(
    tiny_trained: Trained, tiny_dataset: Dataset, questions: np.ndarray, train: np.ndarray
) -> None:
    scores = BundleRanker(tiny_trained, tiny_dataset, train).scores(questions)
    assert (scores.shape, scores.dtype) == ((len(questions), N_ITEMS), np.float32)
    assert np.isfinite(scores).all()


def test_a_question_is_scored_alike_alone_and_among_others(
    tiny_trained: Trained, tiny_dataset: Dataset, questions: np.ndarray, train: np.ndarray
) -> None:
    ranker = BundleRanker(tiny_trained, tiny_dataset, train)
    alone = np.vstack([ranker.scores(questions[place : place + 1]) for place in range(5)])
    assert np.allclose(ranker.scores(questions[:5]), alone, atol=1e-4)


def test_the_item_asked_for_is_not_read(
    tiny_trained: Trained, tiny_dataset: Dataset, questions: np.ndarray, train: np.ndarray
) -> None:
    before = BundleRanker(tiny_trained, tiny_dataset, train).scores(questions)
    rows = tiny_dataset.rows.copy()
    rows[questions] = (rows[questions] + 11) % N_ITEMS
    changed = replace(tiny_dataset, rows=rows)
    assert np.array_equal(BundleRanker(tiny_trained, changed, train).scores(questions), before)


def test_the_prior_adds_what_the_blend_gives_it_in_this_part_of_the_week(
    tiny_trained: Trained, tiny_dataset: Dataset, questions: np.ndarray, train: np.ndarray
) -> None:
    ranker, blend = BundleRanker(tiny_trained, tiny_dataset, train), tiny_trained.space.blend
    scores = []
    for weight in (0.0, 0.5):
        tiny_trained.space.blend = Blend(blend.text, blend.id, blend.shrink, prior=weight)
        scores.append(ranker.scores(questions))
    expected = 0.5 * tiny_trained.prior[:, buckets_of(tiny_dataset.at_s[questions])].T
    assert np.allclose(scores[1] - scores[0], expected, atol=1e-4)
