"""Where an item stands among all that may appear: the ranking that a slate is the top of, worked out in full."""

from dataclasses import dataclass

import numpy as np

from app.domain import PART_NAMES, BoolArray, DoubleArray, FloatArray, Scores
from app.scoring.rules import Rules


@dataclass(frozen=True, slots=True)
class Standing:
    """rank: 1 is best. score: of the item."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Field:
    """All that competes. vectors: (N, D + M), by slot. eligible: (N,). rules: the boosts that move their scores."""

    vectors: FloatArray
    eligible: BoolArray
    rules: Rules

    @property
    def n_eligible(self) -> int:
        return int(self.eligible.sum())

    def scores(self, gated: FloatArray) -> DoubleArray:
        """(N,) for the (K, D + M) rows of a query. 10 ms for 10,000 items and 5 rows."""
        totals = (self.vectors @ gated.T).max(axis=1).astype(np.float64)
        if self.rules.boosts:
            n = self.rules.masks.shape[1]  # slots newer than the masks are under no boost
            parts = np.zeros((n, len(PART_NAMES)), dtype=np.float32)
            parts[:, 0] = totals[:n]
            ruled = self.rules.apply(Scores(totals[:n], parts, np.zeros(n, dtype=np.int64)), np.arange(n))
            totals[:n] = ruled.total
        return totals

    def stand(self, gated: FloatArray, slot: int) -> Standing:
        """Where the item stands; one that is not eligible stands where it would. Ties are shared."""
        scores = self.scores(gated)
        others = self.eligible & (scores > scores[slot])
        others[slot] = False
        return Standing(int(others.sum()) + 1, float(scores[slot]))
