"""Every expected number is the worked case of a docstring, or can be redone on paper."""

import numpy as np
import pytest

from app.offline.metrics import (
    NO_ITEM,
    UNRANKED,
    coverage_at,
    gini_at,
    hit_rate_at,
    intra_list_diversity_at,
    ndcg_at,
    novelty_at,
    pessimistic_ranks,
    reciprocal_rank_at,
    top_rows,
)

NAN, INF = float("nan"), float("inf")


def ranks_of(scores: list[float], *targets: int) -> list[int]:
    table = np.tile(np.array(scores, dtype=np.float32), (len(targets), 1))
    return pessimistic_ranks(table, np.array(targets)).tolist()


def lists(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.int64)


def test_rank_is_the_number_of_items_before_the_target() -> None:
    assert ranks_of([0.1, 0.9, 0.5], 0, 1, 2) == [2, 0, 1]


def test_ties_and_nan_of_others_count_against_the_target() -> None:
    assert ranks_of([2, 1, 2, NAN], 0, 1, 2) == [2, 3, 2]


def test_constant_scorer_puts_every_target_last() -> None:
    assert ranks_of([1.0] * 20, 0, 7, 19) == [19, 19, 19]


@pytest.mark.parametrize("worthless", [NAN, -INF])
def test_target_without_a_score_is_unranked(worthless: float) -> None:
    assert ranks_of([worthless, 1.0], 0) == [UNRANKED]


def test_unranked_is_a_miss_however_short_the_catalogue() -> None:
    ranks = np.array([UNRANKED])
    assert [metric(ranks, 10).tolist() for metric in (hit_rate_at, ndcg_at, reciprocal_rank_at)] == [[0], [0], [0]]


def test_infinite_score_still_ties_with_its_equals() -> None:
    assert ranks_of([INF, INF, 0.0], 0, 1) == [1, 1]


def test_rank_metrics_on_paper() -> None:
    assert hit_rate_at(np.array([0, 9, 10]), 10).tolist() == [1, 1, 0]
    assert ndcg_at(np.array([0, 2, 10]), 10).tolist() == [1, 0.5, 0]
    assert reciprocal_rank_at(np.array([0, 3, 10]), 10).tolist() == [1, 0.25, 0]


def test_top_rows_are_sorted_and_equal_scores_keep_row_order() -> None:
    scores = np.array([[1, 3, 2, 3], [5, 5, 5, 5]], dtype=np.float32)
    assert top_rows(scores, 3).tolist() == [[1, 3, 2], [0, 1, 2]]


def test_top_rows_leave_out_what_has_no_score() -> None:
    scores = np.array([[NAN, 1, -INF, 2], [-INF, -INF, -INF, -INF]], dtype=np.float32)
    assert top_rows(scores, 3).tolist() == [[3, 1, NO_ITEM], [NO_ITEM] * 3]


def test_top_rows_deeper_than_the_catalogue_are_padded() -> None:
    assert top_rows(np.array([[1, 2]], dtype=np.float32), 4).tolist() == [[1, 0, NO_ITEM, NO_ITEM]]


def test_coverage_is_the_share_of_items_shown_at_all() -> None:
    assert coverage_at(lists([0, 1], [0, 2]), 2, n_items=4) == 0.75
    assert coverage_at(lists([0, 1], [0, 2]), 1, n_items=4) == 0.25


def test_gini_on_paper() -> None:
    assert gini_at(lists([0], [0]), 1, n_items=2) == 0.5
    assert gini_at(lists([0, 1], [2, 3]), 2, n_items=4) == 0.0
    assert gini_at(lists([NO_ITEM]), 1, n_items=3) == 0.0


def test_novelty_is_the_mean_information_of_what_is_shown() -> None:
    counts = np.array([4, 2, 2])
    assert novelty_at(lists([0, 1]), 2, counts) == 1.5
    assert novelty_at(lists([0, NO_ITEM]), 2, counts) == 1.0


def test_item_never_trained_on_is_as_novel_as_one_seen_once() -> None:
    assert novelty_at(lists([0]), 1, np.array([0, 7, 1])) == 3.0


def test_intra_list_diversity_on_paper() -> None:
    vectors = np.array([[2, 0], [1, 0], [0, 3]], dtype=np.float32)
    assert intra_list_diversity_at(lists([0, 1, 2]), 3, vectors) == pytest.approx(2 / 3)
    assert intra_list_diversity_at(lists([0, 1, 2]), 2, vectors) == pytest.approx(0.0)


def test_lists_of_one_item_have_no_diversity_to_speak_of() -> None:
    vectors = np.eye(2, dtype=np.float32)
    assert intra_list_diversity_at(lists([0, NO_ITEM], [0, 1]), 2, vectors) == pytest.approx(1.0)


def test_item_without_a_vector_is_unlike_all_others() -> None:
    vectors = np.array([[0, 0], [1, 0]], dtype=np.float32)
    assert intra_list_diversity_at(lists([0, 1]), 2, vectors) == pytest.approx(1.0)
