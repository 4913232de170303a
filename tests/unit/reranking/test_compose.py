import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import PART_NAMES, Scores
from app.reranking.compose import order_slate


def scores_of(*totals: float) -> Scores:
    total = np.array(totals, dtype=np.float32)
    return Scores(total, np.zeros((len(total), len(PART_NAMES)), np.float32), np.zeros(len(total), np.int64))


@pytest.mark.parametrize(("k", "order"), [(1, [2]), (2, [2, 0]), (3, [2, 0, 1]), (9, [2, 0, 1])])
def test_the_best_come_first_and_no_more_than_there_are(k: int, order: list[int]) -> None:
    assert order_slate(scores_of(0.5, -1.0, 2.0), k).tolist() == order


@given(st.lists(st.integers(-3, 3), max_size=30), st.integers(1, 40))
def test_equal_scores_keep_the_candidates_order(totals: list[int], k: int) -> None:
    expected = sorted(range(len(totals)), key=lambda place: (-totals[place], place))[:k]
    assert order_slate(scores_of(*totals), k).tolist() == expected
