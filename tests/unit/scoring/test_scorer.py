from datetime import UTC, datetime
from math import atanh
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tiny import SMALL, random_space

from app.domain import PART_NAMES, Context
from app.scoring.context import ContextCodes
from app.scoring.prior import PRIOR_DIM, TREND, bucket_of
from app.scoring.scorer import Scorer
from models.space import Blend, Space

D = SMALL.dim  # 8 of text, 5 of words, 4 of behaviour
MONDAY_AT_THREE = datetime(2024, 1, 1, 3, tzinfo=UTC)
CODES = ContextCodes({"device": ["phone", "tv"]})
NUMBERS = st.floats(-3, 3, width=32)
PRIOR = PART_NAMES.index("prior")


@pytest.fixture(scope="module")
def space(llama_folder: Path) -> Space:
    space = random_space(llama_folder)
    space.blend = Blend(prior=0.3)
    return space


@pytest.fixture(scope="module")
def scorer(space: Space) -> Scorer:
    return Scorer(space, CODES)


@pytest.fixture
def quiet(llama_folder: Path) -> Space:
    """A space of its own whose gate says nothing, for tests that set it by hand."""
    space = random_space(llama_folder)
    space.blend = Blend(prior=0.3)
    for block in (space.text, space.id):
        for table in block.gate.parameters():
            table.zero_()
    return space


def numbers(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays.arrays(np.float32, shape, elements=NUMBERS)


CONTEXTS = st.builds(
    Context,
    st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.dictionaries(st.sampled_from(["device", "mood"]), st.sampled_from(["phone", "tv", "moon"])),
)


@settings(deadline=None, max_examples=60)
@given(numbers(3, D), numbers(7, D + PRIOR_DIM), CONTEXTS, st.none() | st.integers(0, 2**31))
def test_parts_sum_to_the_score_and_the_score_is_what_the_index_is_asked(
    scorer: Scorer, interests: np.ndarray, vectors: np.ndarray, context: Context, last_event_at_s: int | None
) -> None:
    query = scorer.query(interests, context, last_event_at_s)
    scores = scorer.score(query, vectors)
    assert np.abs(scores.parts.sum(axis=1, dtype=np.float64) - scores.total).max() < 1e-5
    assert np.allclose(scores.total, (vectors @ query.gated.T).max(axis=1), atol=1e-3)


@settings(deadline=None, max_examples=30)
@given(numbers(3, D), numbers(5, D + PRIOR_DIM), CONTEXTS)
def test_the_interest_named_is_the_one_that_scores_highest(
    scorer: Scorer, interests: np.ndarray, vectors: np.ndarray, context: Context
) -> None:
    scores = scorer.score(scorer.query(interests, context, None), vectors)
    alone = [scorer.score(scorer.query(interests[k : k + 1], context, None), vectors).total for k in range(3)]
    won = np.stack(alone)[scores.interest, np.arange(5)]
    assert np.allclose(won, np.max(alone, axis=0), atol=1e-3)


def test_score_is_the_sum_over_dimensions_of_interest_gate_and_item(quiet: Space) -> None:
    """1 * 1.5 * 2 + 2 * 1 * 1 + -1 * 0.5 * 4 = 3: text alone says 0, the context adds 3."""
    scorer = Scorer(quiet, CODES)
    quiet.text.gate.hour.weight[3, :3] = torch.tensor([atanh(0.5), 0.0, atanh(-0.5)])
    interest, item = np.zeros((1, D), dtype=np.float32), np.zeros((1, D + PRIOR_DIM), dtype=np.float32)
    interest[0, :3], item[0, :3] = [1, 2, -1], [2, 1, 4]
    scores = scorer.score(scorer.query(interest, Context(MONDAY_AT_THREE), None), item)
    assert scores.total == pytest.approx([3.0], abs=1e-5)
    assert scores.parts[0] == pytest.approx([0.0, 0.0, 3.0, 0.0, 0.0, 0.0], abs=1e-5)


def test_a_context_is_read_once_and_known_again(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer, interests = Scorer(space, CODES), np.ones((1, D), dtype=np.float32)
    asked = [Context(MONDAY_AT_THREE.replace(minute=minute), {"device": "tv"}) for minute in (0, 30)]
    first = scorer.query(interests, asked[0], None).gated
    monkeypatch.setattr(Space, "gate", lambda *_: pytest.fail("read again"))
    assert np.array_equal(scorer.query(interests, asked[1], None).gated, first)


def test_what_anybody_wants_in_a_context_is_told_as_context(quiet: Space) -> None:
    """Interest 1 * item 2 = 2 as text; the phone shifts the same dimension by 3, weighed by the blend: 0.5 * 3 * 2."""
    scorer = Scorer(quiet, CODES)
    quiet.blend = Blend(text=0.5)
    quiet.text.gate.shifts[0].weight[CODES.values["device"].index("phone") + 1, 0] = 3.0
    interest, item = np.zeros((1, D), dtype=np.float32), np.zeros((1, D + PRIOR_DIM), dtype=np.float32)
    interest[0, 0], item[0, 0] = 1, 2
    scores = scorer.score(scorer.query(interest, Context(MONDAY_AT_THREE, {"device": "phone"}), None), item)
    assert scores.parts[0] == pytest.approx([2.0, 0.0, 3.0, 0.0, 0.0, 0.0], abs=1e-5)


def test_an_open_gate_leaves_text_behaviour_and_prior(quiet: Space) -> None:
    """Text 2 * 3, words 1 * 4, behaviour 5 * 0.5, prior 0.3 * -4 in this part of the week alone."""
    scorer, context = Scorer(quiet, CODES), Context(MONDAY_AT_THREE)
    interest, item = np.zeros((1, D), dtype=np.float32), np.full((1, D + PRIOR_DIM), 9.0, dtype=np.float32)
    interest[0, [0, 8, 13]], item[0, [0, 8, 13]] = [2, 1, 5], [3, 4, 0.5]
    item[0, D + bucket_of(context.at)] = -4
    scores = scorer.score(scorer.query(interest, context, None), item)
    assert scores.parts[0] == pytest.approx([10.0, 2.5, 0.0, -1.2, 0.0, 0.0])
    assert scores.total == pytest.approx([11.3])


def test_the_trend_is_a_part_of_its_own_at_the_weight_of_the_blend(quiet: Space) -> None:
    quiet.blend = Blend(trend=0.5)
    interest, item = np.zeros((1, D), dtype=np.float32), np.zeros((1, D + PRIOR_DIM), dtype=np.float32)
    item[0, D + TREND] = 3.0
    scorer = Scorer(quiet, CODES)
    for rows in (interest, interest[:0]):
        scores = scorer.score(scorer.query(rows, Context(MONDAY_AT_THREE), None), item)
        assert scores.parts[0] == pytest.approx([0.0, 0.0, 0.0, 0.0, 1.5, 0.0])
        assert scores.total == pytest.approx([1.5])


def test_a_trend_that_does_not_count_is_zero_and_not_less(quiet: Space) -> None:
    vectors = np.zeros((1, D + PRIOR_DIM), dtype=np.float32)
    vectors[:, D + TREND] = -1.0
    scorer = Scorer(quiet, CODES)
    parts = scorer.score(scorer.query(np.ones((1, D), np.float32), Context(MONDAY_AT_THREE), None), vectors).parts
    assert not np.signbit(parts[:, PART_NAMES.index("trend")]).any()


def test_nobody_is_scored_by_popularity_and_by_what_anybody_wants_in_the_context(quiet: Space) -> None:
    scorer, context = Scorer(quiet, CODES), Context(datetime(2024, 1, 6, 20, tzinfo=UTC), {"device": "tv"})
    quiet.text.gate.shifts[0].weight[CODES.values["device"].index("tv") + 1, 0] = 3.0
    vectors = np.random.default_rng(0).normal(size=(6, D + PRIOR_DIM)).astype(np.float32)
    query = scorer.query(np.empty((0, D), dtype=np.float32), context, None)
    scores = scorer.score(query, vectors)
    assert query.gated.shape == (1, D + PRIOR_DIM)
    assert scores.parts[:, PRIOR] == pytest.approx(vectors[:, D + 7])  # weekend evening, at its full weight
    assert scores.total == pytest.approx(vectors[:, D + 7] + 3 * vectors[:, 0], abs=1e-5)
    assert np.abs(scores.parts[:, [PART_NAMES.index(name) for name in ("text", "id", "trend", "rules")]]).max() == 0


def test_a_value_never_trained_on_scores_as_none_given(scorer: Scorer) -> None:
    rng = np.random.default_rng(0)
    interests = rng.normal(size=(2, D)).astype(np.float32)
    told = [scorer.query(interests, Context(MONDAY_AT_THREE, f), None).gated for f in ({}, {"device": "moon"})]
    assert np.array_equal(*told)


def test_no_candidates_have_no_scores(scorer: Scorer) -> None:
    query = scorer.query(np.ones((2, D), dtype=np.float32), Context(MONDAY_AT_THREE), None)
    scores = scorer.score(query, np.empty((0, D + PRIOR_DIM), dtype=np.float32))
    assert (scores.total.shape, scores.parts.shape, scores.interest.shape) == ((0,), (0, 6), (0,))
