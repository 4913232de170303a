import numpy as np
import pytest

from app.offline.diversity_curve import BY_SCORE, Measured, Point, choose, figures
from app.reranking.compose import Diversifier

MILD, STRONG = Point(Diversifier.DPP, 0.2), Point(Diversifier.MMR, 0.8)


def measured(by_score: float, mild: float, strong: float) -> dict[Point, Measured]:
    """NDCG of two questions; diversity 0.2, 0.3 and 0.4."""
    values = {BY_SCORE: (by_score, 0.2), MILD: (mild, 0.3), STRONG: (strong, 0.4)}
    return {point: Measured(np.array([ndcg, ndcg]), ild) for point, (ndcg, ild) in values.items()}


@pytest.mark.parametrize(
    ("ndcg", "chosen"),
    [
        ((0.5, 0.5, 0.5), STRONG),  # what costs nothing is taken
        ((0.5, 0.496, 0.4), MILD),  # 0.8% lost, and 20%
        ((0.5, 0.4, 0.4), BY_SCORE),
        ((0.5, 0.49, 0.6), STRONG),  # a gain is no loss
    ],
)
def test_the_most_diverse_affordable_point_is_chosen(ndcg: tuple[float, float, float], chosen: Point) -> None:
    assert choose(measured(*ndcg)) == chosen


def test_cost_and_gain_are_told_relative_to_the_order_by_score() -> None:
    told = figures(measured(0.5, 0.4, 0.3), MILD, np.array([0, 1]))
    assert told["chosen.ndcg10_change"] == pytest.approx(-0.2)
    assert told["chosen.ild10_change"] == pytest.approx(0.5)
    assert told["dpp.0.2.ndcg10"] == pytest.approx(0.4)
