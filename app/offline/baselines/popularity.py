"""Popularity: over all of training, and over the days before the question."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from app.domain import FloatArray, IntArray
from app.offline.dataset import Dataset
from app.offline.questions import liked_in_training, training_counts
from app.offline.split import Split

DAY_S = 86_400
TIE_BREAK = 1e-6  # times relative popularity, added by rankers that leave many items at 0: it changes no other order


def relative_popularity(dataset: Dataset, split: Split) -> FloatArray:
    """(N,) float32 in [0, 1]: training events of each item over those of the most popular one."""
    counts = training_counts(dataset, split)
    return (counts / max(counts.max(), 1)).astype(np.float32)


@dataclass(frozen=True)
class Popularity:
    """The same list for everybody. popularity: (N,) in [0, 1]."""

    name: ClassVar[str] = "popularity"
    grid: ClassVar[tuple[dict[str, float], ...]] = ({},)
    popularity: FloatArray

    @classmethod
    def fit(cls, dataset: Dataset, split: Split) -> Self:
        return cls(relative_popularity(dataset, split))

    def scores(self, questions: IntArray) -> FloatArray:
        return np.broadcast_to(self.popularity, (len(questions), len(self.popularity)))


@dataclass(frozen=True)
class RecentPopularity:
    """Training events of the `days` before the question; overall popularity settles ties.

    A question later than all training events, as every test of the global time split, gets the last `days` of
    training: what happened after the cut is never counted. at_s, rows: training events, oldest first.
    """

    name: ClassVar[str] = "recent_popularity"
    grid: ClassVar[tuple[dict[str, float], ...]] = ({"days": 1}, {"days": 7}, {"days": 30})
    dataset: Dataset
    at_s: IntArray
    rows: IntArray
    popularity: FloatArray
    days: float

    @classmethod
    def fit(cls, dataset: Dataset, split: Split, *, days: float = 7) -> Self:
        liked = np.flatnonzero(liked_in_training(dataset, split))
        oldest_first = liked[np.argsort(dataset.at_s[liked], kind="stable")]
        at_s, rows = dataset.at_s[oldest_first], dataset.rows[oldest_first]
        return cls(dataset, at_s, rows, relative_popularity(dataset, split), days)

    def scores(self, questions: IntArray) -> FloatArray:
        last_s = self.at_s[-1] if len(self.at_s) else 0
        ends_s = np.minimum(self.dataset.at_s[questions], last_s + 1)
        ends = np.searchsorted(self.at_s, ends_s, side="left")
        begins = np.searchsorted(self.at_s, ends_s - int(self.days * DAY_S), side="left")
        scores = np.tile(0.5 * self.popularity, (len(questions), 1))  # below one event
        for row, begin, end in zip(scores, begins, ends, strict=True):
            row += np.bincount(self.rows[begin:end], minlength=len(row))
        return scores
