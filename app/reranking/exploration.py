"""Exploration whose propensities are exact: epsilon-greedy, a place at a time.

Every place draws by itself: with probability 1 - epsilon it keeps the item composed for it, with probability epsilon it
takes one of the place's own alternatives, each with the same probability. The alternatives are the best items below the
slate, dealt out so that no two places share one. Hence no item can come twice, the places are independent, and

    P(item at place) = 1 - epsilon               for the item composed
                       epsilon / alternatives    for an alternative
                       1                         at a place that has no alternative, or that a rule has filled

which is what inverse propensity estimates divide by (Strehl et al., NeurIPS 2010; Li et al., WSDM 2011).
"""

from collections.abc import Sequence

import numpy as np

from app.domain import FloatArray, IntArray
from app.reranking.rules import RuleBook

ALTERNATIVES = 4
"""Items a place may explore. With epsilon 0.1 an item just below the slate is then seen in one slate of forty."""


def deal_alternatives(chosen: IntArray, fixed: Sequence[bool], utility: FloatArray, book: RuleBook) -> list[IntArray]:
    """For each place its own up to ALTERNATIVES candidates from below the slate, the best to the first place.

    fixed: places that explore nothing. A candidate that would break a rule at one place is offered to the next.
    """
    below = np.ones(len(utility), dtype=np.bool_)
    below[chosen] = False
    order = np.argsort(-utility, kind="stable")
    pool = order[below[order] & np.isfinite(utility[order])]
    fitting = np.zeros((len(chosen), len(utility)), dtype=np.bool_)
    for place, leaves in enumerate(chosen.tolist()):
        if not fixed[place]:
            fitting[place] = book.may_replace(leaves, below)
    dealt: list[list[int]] = [[] for _ in chosen]
    n_dealt = np.zeros(len(chosen), dtype=np.int64)
    for candidate in pool[: ALTERNATIVES * len(chosen)].tolist():
        taker = int(np.where(fitting[:, candidate], n_dealt, ALTERNATIVES).argmin())
        if fitting[taker, candidate] and n_dealt[taker] < ALTERNATIVES:
            dealt[taker].append(candidate)
            n_dealt[taker] += 1
    return [np.array(candidates, dtype=np.int64) for candidates in dealt]


def explore(
    chosen: IntArray, alternatives: Sequence[IntArray], epsilon: float, rng: np.random.Generator
) -> tuple[IntArray, FloatArray, list[bool]]:
    """The slate drawn, the probability of each of its items at its place, and which places hold an alternative."""
    drawn, propensity, explored = chosen.copy(), np.ones(len(chosen), dtype=np.float32), [False] * len(chosen)
    for place, candidates in enumerate(alternatives):
        if not len(candidates):
            continue
        explored[place] = bool(rng.random() < epsilon)
        if explored[place]:
            drawn[place] = candidates[rng.integers(len(candidates))]
            propensity[place] = epsilon / len(candidates)
        else:
            propensity[place] = 1.0 - epsilon
    return drawn, propensity, explored
