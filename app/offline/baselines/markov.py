"""First-order Markov: what came next after the last item, counted."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from app.domain import FloatArray, IntArray
from app.offline.baselines.popularity import relative_popularity
from app.offline.dataset import Dataset
from app.offline.questions import history_ends, history_lengths
from app.offline.split import Split


@dataclass(frozen=True)
class Markov:
    """Score of item j after item i: times j followed i in training + smoothing * popularity of j in [0, 1].

    counts: (N, N) sparse float32. smoothing below 1 only settles ties; above it, well-known items are held more likely
    than a few observed steps say. Without history popularity alone is left.
    """

    name: ClassVar[str] = "markov"
    grid: ClassVar[tuple[dict[str, float], ...]] = ({"smoothing": 0.5}, {"smoothing": 2}, {"smoothing": 8})
    dataset: Dataset
    counts: sparse.csr_array
    popularity: FloatArray
    smoothing: float

    @classmethod
    def fit(cls, dataset: Dataset, split: Split, *, smoothing: float = 0.5) -> Self:
        return cls(dataset, transition_counts(dataset, split), relative_popularity(dataset, split), smoothing)

    def scores(self, questions: IntArray) -> FloatArray:
        return steps_from_last(self.dataset, self.counts, questions) + self.smoothing * self.popularity


def transition_counts(dataset: Dataset, split: Split) -> sparse.csr_array:
    """(N, N) float32: how often the row's item was directly followed by the column's item, liked, both in training."""
    follows = split.train[:-1] & split.train[1:] & (dataset.users[:-1] == dataset.users[1:]) & (dataset.weights[1:] > 0)
    first = np.flatnonzero(follows)
    ones = np.ones(len(first), dtype=np.float32)
    pairs = (dataset.rows[first], dataset.rows[first + 1])
    return sparse.csr_array((ones, pairs), shape=(dataset.n_items, dataset.n_items))


def steps_from_last(dataset: Dataset, steps: sparse.csr_array, questions: IntArray) -> FloatArray:
    """(Q, N): the row of `steps` of the item before each question, zeros without history."""
    has_history = history_lengths(dataset, questions) > 0
    last_rows = dataset.rows[np.maximum(history_ends(dataset, questions) - 1, 0)]
    return steps[last_rows].toarray() * has_history[:, None].astype(np.float32)
