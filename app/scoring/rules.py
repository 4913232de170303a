"""Rules: the caller's boosts as a part of the score, and the groups of items that they treat alike.

    rules(i) = b(s_i) + sum of adds - s_i        b(s) = F s for s >= 0, s / F below        F: product of factors

with s_i the score without rules. b grows with s, so among items that the same boosts hold for the order stays what it
was. That is why asking each such group for its best finds the best of all, however strong a boost is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.domain import PART_NAMES, BoolArray, Boost, DoubleArray, IntArray, Scores

RULES = PART_NAMES.index("rules")


@dataclass(frozen=True, slots=True)
class Rules:
    """Boosts, and for each the slots that it holds for: (B, n_slots). A slot past the masks is under no boost."""

    boosts: tuple[Boost, ...]
    masks: BoolArray

    def groups(self, eligible: BoolArray | None) -> Sequence[BoolArray | None]:
        """Eligible slots, parted by which boosts hold for them: at most 2 to the power of B masks."""
        if not self.boosts:
            return [eligible]
        signature = np.left_shift(1, np.arange(len(self.boosts))) @ self.masks
        where = np.ones_like(signature, dtype=np.bool_) if eligible is None else eligible[: len(signature)]
        signature = signature[: len(where)]
        return [where & (signature == each) for each in np.unique(signature[where])] or [where]

    def count(self, served: BoolArray) -> tuple[int, ...]:
        """For each boost, how many of the served (n_slots,) it holds for."""
        n = min(len(served), self.masks.shape[1])
        return tuple((self.masks[:, :n] & served[:n]).sum(axis=1).tolist())

    def apply(self, scores: Scores, slots: IntArray) -> Scores:
        """Scores of candidates in these slots, the rules part filled in."""
        if not self.boosts:
            return scores
        return add_rules(scores, self.boosts, self.masks[:, slots])


NO_RULES = Rules((), np.zeros((0, 0), dtype=np.bool_))


def add_rules(scores: Scores, boosts: Sequence[Boost], holds: BoolArray) -> Scores:
    """holds: (B, C), whether a boost holds for a candidate. The parts still sum to the total."""
    base = scores.total
    factor = np.prod(np.where(holds, np.array([[boost.factor] for boost in boosts]), 1.0), axis=0)
    added = np.where(holds, np.array([[boost.add] for boost in boosts]), 0.0).sum(axis=0)
    parts = scores.parts.copy()
    parts[:, RULES] = np.where(base >= 0, base * factor, base / factor) + added - base
    return replace(scores, total=parts.sum(axis=1, dtype=np.float64), parts=parts)


def without_rules(scores: Scores) -> DoubleArray:
    """(C,) what candidates would score without any rule: the other parts, since 2e12 less 2e12 leaves four digits."""
    return np.delete(scores.parts, RULES, axis=1).sum(axis=1, dtype=np.float64)
