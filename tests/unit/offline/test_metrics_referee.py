"""Our metrics against trec_eval's own code, by way of ir-measures."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG

from app.offline.metrics import hit_rate_at, ndcg_at, pessimistic_ranks, reciprocal_rank_at

N_ITEMS = 30


@st.composite
def runs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Distinct scores, since trec_eval settles ties by name where we count them against the target."""
    n_questions = draw(st.integers(1, 8))
    scores = np.array([draw(st.permutations(range(N_ITEMS))) for _ in range(n_questions)], dtype=np.float32)
    return scores, np.array(draw(st.lists(st.integers(0, N_ITEMS - 1), min_size=n_questions, max_size=n_questions)))


@given(runs())
@settings(max_examples=60, deadline=None)
def test_metrics_agree_with_trec_eval_question_by_question(run: tuple[np.ndarray, np.ndarray]) -> None:
    scores, targets = run
    ranks = pessimistic_ranks(scores, targets)
    for measure, ours in (
        (nDCG @ 10, ndcg_at(ranks, 10)),
        (nDCG @ 20, ndcg_at(ranks, 20)),
        (R @ 10, hit_rate_at(ranks, 10)),
        (Success @ 10, hit_rate_at(ranks, 10)),
        (RR @ 10, reciprocal_rank_at(ranks, 10)),
        (RR, reciprocal_rank_at(ranks, N_ITEMS)),
    ):
        assert ours == pytest.approx(judge(measure, scores, targets), abs=1e-9), str(measure)


def judge(measure: object, scores: np.ndarray, targets: np.ndarray) -> list[float]:
    relevant = {str(question): {str(target): 1} for question, target in enumerate(targets)}
    run = {
        str(question): {str(row): float(score) for row, score in enumerate(row_scores)}
        for question, row_scores in enumerate(scores)
    }
    found = {metric.query_id: metric.value for metric in ir_measures.iter_calc([measure], relevant, run)}
    return [found[str(question)] for question in range(len(targets))]
