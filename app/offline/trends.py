"""The trend as it stood at any moment of a data set: from the training likes before that moment, and from no later one.

So a question of leave-one-out sees what a service would have seen just then; after the cut of a time split the training
likes only grow older, and the trend fades.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from app.domain import BoolArray, FloatArray, IntArray
from app.offline.dataset import Dataset
from app.scoring.trend import decay, trend


@dataclass(frozen=True)
class Trends:
    """at_s, rows: (L,) likes in the order of time. share: (N,) of each item in the training events."""

    at_s: IntArray
    rows: IntArray
    share: FloatArray

    @classmethod
    def of(cls, dataset: Dataset, liked: BoolArray, share: FloatArray) -> Self:
        """liked: (E,) the events that count. None does where the data set has no clock: nothing is then ever lately."""
        likes = np.flatnonzero(liked & dataset.has_times)
        likes = likes[np.argsort(dataset.at_s[likes], kind="stable")]
        return cls(dataset.at_s[likes], dataset.rows[likes], share)

    def at(self, at_s: IntArray, half_life_days: float) -> FloatArray:
        """(Q, N): the trend at each of the (Q,) moments, in Unix seconds. What happens at a moment is not before it."""
        lately = np.zeros((len(at_s), len(self.share)), dtype=np.float32)
        known, then_s, decayed = 0, 0, np.zeros(len(self.share))
        for place in np.argsort(at_s, kind="stable"):
            now_s = int(at_s[place])
            until = int(np.searchsorted(self.at_s, now_s))
            decayed *= float(np.exp2((then_s - now_s) / (half_life_days * 86_400))) if known else 0.0
            new = slice(known, until)
            age = decay(now_s - self.at_s[new], half_life_days)
            decayed += np.bincount(self.rows[new], age, minlength=len(decayed))
            lately[place], known, then_s = decayed, until, now_s
        return trend(lately, self.share)
