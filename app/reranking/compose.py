"""Scored candidates to a slate: relevance against likeness, popularity, the rules of a placement, and chance.

Re-ranking changes places, never scores: what stands higher without scoring higher says in `rules` or by the request's
own knobs why it does.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.domain import DoubleArray, FloatArray, IntArray, Scores
from app.reranking.dpp import Dpp
from app.reranking.exploration import deal_alternatives, explore
from app.reranking.greedy import ByRelevance, Greedy, unit
from app.reranking.mmr import Mmr
from app.reranking.rules import EXPLORED, NO_RULES, PINNED, SPONSORED, RuleBook, SlateRules


class Diversifier(StrEnum):
    """How relevance is weighed against likeness: by determinants, or by the nearest item taken."""

    DPP = "dpp"
    MMR = "mmr"


@dataclass(frozen=True, slots=True)
class Knobs:
    """How a slate is composed, each number from 0 to 1. All at 0: by score.

    diversity: weight of being unlike the rest of the slate. novelty: weight of being little known. exploration: share
    of the places left to chance.
    """

    diversity: float = 0.0
    novelty: float = 0.0
    exploration: float = 0.0
    diversifier: Diversifier = Diversifier.DPP


@dataclass(frozen=True, slots=True)
class Composed:
    """A slate of n places. chosen: (n,) int64 candidates, each once. propensity: (n,) float32, the probability of each
    at its place. rules: of each place, what put the item there besides its merit."""

    chosen: IntArray
    propensity: FloatArray
    rules: tuple[tuple[str, ...], ...]


BY_SCORE = Knobs()


def order_by_score(scores: Scores) -> IntArray:
    """Positions of the candidates, best first; equal scores keep the candidates' order."""
    return np.argsort(-scores.total, kind="stable").astype(np.int64)


def in_order(scores: Scores, k: int) -> Composed:
    """The k best by score."""
    chosen = order_by_score(scores)[:k]
    return Composed(chosen, np.ones(len(chosen), dtype=np.float32), ((),) * len(chosen))


def compose(
    scores: FloatArray | DoubleArray,
    vectors: FloatArray,
    k: int,
    *,
    diversity: float = 0.0,
    novelty: float = 0.0,
    popularity: FloatArray | None = None,
    diversifier: Diversifier = Diversifier.DPP,
) -> IntArray:
    """Positions of up to k of C candidates in the order of the slate, nothing left to chance and no rules.

    scores: (C,). vectors: (C, D) item vectors of any length. popularity: (C,) log-popularity, for novelty alone.
    """
    knobs = Knobs(diversity, novelty, 0.0, diversifier)
    return compose_slate(scores, vectors, k, knobs, popularity=popularity).chosen


def compose_slate(
    scores: FloatArray | DoubleArray,
    vectors: FloatArray,
    k: int,
    knobs: Knobs = BY_SCORE,
    *,
    popularity: FloatArray | None = None,
    rules: SlateRules = NO_RULES,
    rng: np.random.Generator | None = None,
) -> Composed:
    """A slate of up to k of the C candidates, as `compose`; fewer where there are fewer, or where a cap allows no more.

    Candidates that score -inf are never chosen but by a pin. rng: drawn from only where knobs.exploration is above 0.
    """
    utility = _utility(scores, popularity, knobs.novelty)
    book = RuleBook(rules, len(scores))
    chosen, why = _fill(_greedy(utility, vectors, k, knobs), book, k, utility)
    propensity = np.ones(len(chosen), dtype=np.float32)
    if knobs.exploration > 0 and len(chosen):
        alternatives = deal_alternatives(chosen, [bool(rule) for rule in why], utility, book)
        chosen, propensity, explored = explore(chosen, alternatives, knobs.exploration, rng or np.random.default_rng())
        why = [(*rule, EXPLORED) if drawn else rule for rule, drawn in zip(why, explored, strict=True)]
    return Composed(chosen, propensity, tuple(why))


def _utility(scores: FloatArray | DoubleArray, popularity: FloatArray | None, novelty: float) -> FloatArray:
    """(C,) relevance on a scale of this request's own, so that the knobs mean the same for every bundle.

    Novelty is self-information, -log2 p (Castells et al., Recommender Systems Handbook), on the same kind of scale.
    """
    relevance = _scaled(scores)
    if novelty == 0 or popularity is None:
        return relevance
    return ((1.0 - novelty) * relevance + novelty * _scaled(-popularity)).astype(np.float32)


def _scaled(values: FloatArray | DoubleArray) -> FloatArray:
    """0 for the best, -1 for the median: what is far below the median then weighs no more than it should."""
    known = values[np.isfinite(values)]
    if not len(known):
        return values.astype(np.float32)
    best = known.max()
    spread = max(float(best - np.median(known)), 1e-9)
    return ((values - best) / spread).astype(np.float32)


def _greedy(utility: FloatArray, vectors: FloatArray, k: int, knobs: Knobs) -> Greedy:
    if knobs.diversity == 0:
        return ByRelevance(utility)
    if knobs.diversifier is Diversifier.MMR:
        return Mmr(utility, unit(vectors), knobs.diversity)
    return Dpp(utility, unit(vectors), knobs.diversity, k)


def _fill(greedy: Greedy, book: RuleBook, k: int, utility: FloatArray) -> tuple[IntArray, list[tuple[str, ...]]]:
    """The places from the first to the last; a pin whose place is never reached moves up to the end."""
    chosen: list[int] = []
    why: list[tuple[str, ...]] = []
    possible = np.isfinite(utility)
    for place in range(k if len(utility) else 0):
        rule: tuple[str, ...] = (PINNED,)
        candidate = book.pinned_at(place)
        if candidate is None:
            allowed, paid = book.allowed(place)
            gains = np.where(allowed & possible, greedy.gains, -np.inf)
            best = int(gains.argmax())
            if gains[best] == -np.inf:
                continue
            candidate, rule = best, (SPONSORED,) if paid else ()
        greedy.take(candidate)
        book.take(candidate)
        chosen.append(candidate)
        why.append(rule)
    return np.array(chosen, dtype=np.int64), why


def intra_list_diversity(vectors: FloatArray) -> float:
    """Mean of (1 - cosine) over the pairs of a slate's (n, D) item vectors, 0 to 2; 0 for fewer than two items."""
    n = len(vectors)
    if n < 2:
        return 0.0
    cosines = unit(vectors) @ unit(vectors).T
    return float(1.0 - (cosines.sum() - np.trace(cosines)) / (n * (n - 1)))
