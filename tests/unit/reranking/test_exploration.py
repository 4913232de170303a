from collections import Counter

import numpy as np
import pytest

from app.reranking.compose import Knobs, compose_slate
from app.reranking.exploration import ALTERNATIVES
from app.reranking.rules import Cap, SlateRules

N = 40_000


@pytest.mark.parametrize("diversity", [0.0, 0.5])
def test_the_propensities_are_the_frequencies_of_the_policy(diversity: float) -> None:
    """Over many slates every (item, place) comes as often as its propensity says, to within five standard errors."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=30).astype(np.float32)
    vectors = rng.normal(size=(30, 8)).astype(np.float32)
    members = np.arange(30) % 3 == 0
    rules = SlateRules(pinned={1: 29}, caps=[Cap(members, 2)])
    counts: Counter[tuple[int, int]] = Counter()
    told: dict[tuple[int, int], float] = {}
    for _ in range(N):
        composed = compose_slate(scores, vectors, 4, Knobs(diversity, exploration=0.3), rules=rules, rng=rng)
        for place, (candidate, propensity) in enumerate(zip(composed.chosen, composed.propensity, strict=True)):
            counts[int(candidate), place] += 1
            assert told.setdefault((int(candidate), place), float(propensity)) == float(propensity)
    for shown, propensity in told.items():
        error = np.sqrt(propensity * (1 - propensity) / N)
        assert abs(counts[shown] / N - propensity) <= 5 * error + 1e-9, shown
    for place in range(4):
        assert sum(p for (_, at), p in told.items() if at == place) == pytest.approx(1.0)
    assert told[29, 1] == 1.0


def test_an_inverse_propensity_estimate_of_another_slate_is_unbiased() -> None:
    """Clicks depend on the item alone; the estimate of what a fixed alternative slate would get is its true value."""
    rng = np.random.default_rng(1)
    scores = np.linspace(1, 0, 12).astype(np.float32)
    clicks = rng.random(12)
    alternative = [2, 1]  # what another policy would show: an alternative at place 0, the composed item at place 1
    total = 0.0
    for _ in range(N):
        composed = compose_slate(scores, np.eye(12, dtype=np.float32), 2, Knobs(exploration=0.4), rng=rng)
        for place, candidate in enumerate(composed.chosen.tolist()):
            if candidate == alternative[place]:
                total += (rng.random() < clicks[candidate]) / float(composed.propensity[place])
    assert total / N == pytest.approx(clicks[alternative].sum(), abs=0.1)


def test_nothing_below_the_slate_leaves_nothing_to_explore() -> None:
    composed = compose_slate(np.ones(3, np.float32), np.eye(3, dtype=np.float32), 3, Knobs(exploration=1.0))
    assert composed.chosen.tolist() == [0, 1, 2]
    assert composed.propensity.tolist() == [1, 1, 1]


def test_no_place_explores_beyond_its_own_alternatives() -> None:
    rng = np.random.default_rng(2)
    seen: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
    for _ in range(500):
        composed = compose_slate(
            np.linspace(1, 0, 50).astype(np.float32), np.eye(50, dtype=np.float32), 3, Knobs(exploration=1.0), rng=rng
        )
        for place, candidate in enumerate(composed.chosen.tolist()):
            seen[place].add(candidate)
    assert [len(items) for items in seen.values()] == [ALTERNATIVES] * 3
    assert set.union(*seen.values()) == set(range(3, 15))
