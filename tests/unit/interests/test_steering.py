from dataclasses import replace

import faiss
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tiny import SMALL

from app.domain import FloatArray
from app.interests.steering import CatalogueScale, Steering, toward
from app.retrieval.index import ItemIndex

D, TEXT = 6, 4


def index_of(vectors: FloatArray) -> ItemIndex:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return ItemIndex(index)


def alike(n: int = 300) -> FloatArray:
    """Items as a text encoder gives them: all near one direction, and two numbers of behaviour about nothing."""
    rng = np.random.default_rng(0)
    text = np.array([0.8, 0.4, 0.2, 0.1]) + rng.normal(0, 0.05, (n, TEXT))
    return np.hstack([text, rng.normal(0, 1, (n, D - TEXT))]).astype(np.float32)


ITEMS = alike()
SHAPE = replace(SMALL, block_dim=0, words_dim=TEXT, id_dim=D - TEXT)
SCALE = CatalogueScale(index_of(ITEMS), SHAPE)
PHRASES = arrays.arrays(np.float32, TEXT, elements=st.floats(-1, 1, width=16))
TASTES = arrays.arrays(np.float32, (3, D), elements=st.floats(-5, 5, width=16))


def phrase(text: FloatArray) -> FloatArray:
    return np.concatenate([text, np.zeros(D - TEXT)]).astype(np.float32)


def reach(scores: FloatArray) -> float:
    """Of 300 items the best three."""
    return float(np.sort(scores)[-3:].mean() - scores.mean())


@settings(deadline=None)
@given(PHRASES)
def test_a_standardised_phrase_has_mean_0_reaches_1_and_knows_no_behaviour(text: FloatArray) -> None:
    assume(np.linalg.norm(text) > 0.1)
    row = SCALE.standardise(phrase(text))
    assume(row.any())
    scores = ITEMS @ row
    assert abs(scores.mean()) < 1e-2
    assert reach(scores) == pytest.approx(1, abs=1e-2)
    assert not row[TEXT:].any()


@settings(deadline=None)
@given(PHRASES, TASTES)
def test_beside_a_taste_it_has_the_tastes_mean_and_reach(text: FloatArray, taste: FloatArray) -> None:
    row = SCALE.standardise(phrase(text))
    mean, far = SCALE.measure(taste)
    middle = ITEMS[:, :TEXT].mean(axis=0)
    constant = reach(abs(mean) * (ITEMS[:, :TEXT] @ middle) / (middle @ middle))
    assume(row.any() and far > max(0.1, 10 * constant))
    scores = ITEMS @ SCALE.match(row, taste)
    assert scores.mean() == pytest.approx(mean, abs=0.05 + 0.01 * far)
    assert reach(scores) == pytest.approx(far, rel=0.25)


def test_the_order_it_puts_items_in_is_that_of_the_phrase_without_what_it_says_of_all() -> None:
    text = phrase(np.array([0.1, 0.9, 0.1, 0.1], dtype=np.float32))
    before, after = ITEMS @ text, ITEMS @ SCALE.standardise(text)
    assert np.corrcoef(before, after)[0, 1] > 0.8


def test_a_catalogue_of_one_item_or_none_is_flat() -> None:
    empty = CatalogueScale(index_of(np.empty((0, D), dtype=np.float32)), SHAPE)
    single = CatalogueScale(index_of(ITEMS[:1]), SHAPE)
    for scale in (empty, single):
        assert not scale.standardise(phrase(np.ones(TEXT, dtype=np.float32))).any()
    assert empty.measure(np.ones((2, D), dtype=np.float32)) == (0.0, 0.0)
    assert SCALE.measure(np.empty((0, D), dtype=np.float32)) == (0.0, 0.0)


def test_the_sample_follows_a_growing_catalogue() -> None:
    index = index_of(ITEMS[:2])
    scale = CatalogueScale(index, SHAPE)
    before = scale.measure(np.eye(D, dtype=np.float32)[:1])
    index.add(np.full(D, 9, dtype=np.float32))
    assert scale.measure(np.eye(D, dtype=np.float32)[:1]) != before


def test_towards_what_is_wanted_and_away_from_what_is_not() -> None:
    a, b, c = np.eye(3, dtype=np.float32)
    assert toward([a, b], [c]).tolist() == [0.5, 0.5, -1]
    assert toward([], [c]).tolist() == [0, 0, -1]
    assert Steering(0.5, a).apply(np.stack([b, c])).tolist() == [[1, 0.5, 0], [1, 0, 0.5]]
