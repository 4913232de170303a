"""How relevant an item is to a request, on a scale that is the same for every request.

    relevance(i) = (s_i - typical) / (best - typical)

with s_i the score without rules, typical the median of the catalogue and best its highest: 1 is what suits best of
everything, 0 a middling item, below 0 the worse half. Neither filters nor boosts move the scale, so of a catalogue
filtered down to what does not suit, nothing is relevant.
"""

import numpy as np

from app.domain import BoolArray, Candidates, DoubleArray, FloatArray, Scores
from app.retrieval.index import ItemIndex
from app.scoring.scorer import take

SAMPLE = 1_000
"""Items that the median is taken of: nineteen times in twenty it is then between the 47th and the 53rd percentile."""
ROUNDING = 1e-4
"""The best item's score, computed in another order of sums, must not fall below itself."""


async def keep_relevant(
    candidates: Candidates, scores: Scores, at_least: float | None, index: ItemIndex, queries: FloatArray
) -> tuple[Candidates, Scores]:
    """Those that reach the floor, all where it is None. scores: still without rules. queries: (Q, D), as searched."""
    if at_least is None:
        return candidates, scores
    reached = np.flatnonzero(await _reaches(scores.total, at_least, index, queries))
    kept = Candidates(candidates.slots[reached], tuple(candidates.sources[place] for place in reached))
    return kept, take(scores, reached)


async def _reaches(totals: DoubleArray, at_least: float, index: ItemIndex, queries: FloatArray) -> BoolArray:
    """Where nothing is better than the typical item, all that are as good are relevant."""
    best, typical = await _best(index, queries), _typical(index, queries)
    reached: BoolArray = totals >= typical + at_least * (best - typical) - ROUNDING
    return reached


async def _best(index: ItemIndex, queries: FloatArray) -> float:
    tops = [slots for slots in await index.find(queries, 1) if len(slots)]
    return float((index.gather(np.concatenate(tops)) @ queries.T).max()) if tops else -np.inf


def _typical(index: ItemIndex, queries: FloatArray) -> float:
    """The same sample for the same catalogue, so that an answer can be had again."""
    slots = index.sample(SAMPLE)
    return float(np.median((index.gather(slots) @ queries.T).max(axis=1))) if len(slots) else -np.inf
