"""Interest vectors read as phrases: what each of a user's interests is about.

A phrase is a point in the same space as items, so the score of a phrase under an interest is a score like any other.
What every user scores high ("drama") says little of this one, so the mean over training users is taken off first.
"""

import numpy as np

from app.domain import FloatArray, IntArray
from app.trained import Trained

PHRASES_EACH = 3
PHRASES_OF_ITEM = 8


class Phrasebook:
    """The bundle's phrases as vectors of the one space."""

    def __init__(self, trained: Trained, vectors: FloatArray) -> None:
        self.labels = trained.phrases
        self._vectors = vectors  # (P, D)
        self._baseline = trained.phrase_baseline  # (P,)
        self._words = trained.space.shape.words

    def score(self, interests: FloatArray) -> FloatArray:
        """(K, P): how much more each interest asks for each phrase than users do on average. interests: (K, D)."""
        return interests @ self._vectors.T - self._baseline

    def shared(self, interests: FloatArray, winners: IntArray, items: FloatArray) -> list[tuple[str, ...]]:
        """For each of n items the phrases that it has in common with its interest, the most wanted first: at most
        PHRASES_EACH. interests: (K, D). winners: (n,) which of them is each item's. items: (n, D).

        Of the PHRASES_OF_ITEM phrases closest to an item, those that its interest asks for more than users do on
        average: so a phrase is true of the item, and wanted.
        """
        if not self.labels or not len(items):
            return [()] * len(items)
        apart = -(items @ self._vectors.T)  # (n, P); the nearest in no order: sorting all takes 0.5 ms for 20 items
        n_near = min(PHRASES_OF_ITEM, len(self.labels))
        near = np.sort(np.argpartition(apart, n_near - 1, axis=1)[:, :n_near], axis=1)
        wanted = np.take_along_axis(self.score(interests)[winners], near, axis=1)
        order = np.argsort(-wanted, axis=1, kind="stable")[:, :PHRASES_EACH]
        kept = np.take_along_axis(wanted, order, axis=1) > 0
        best = np.take_along_axis(near, order, axis=1)
        return [tuple(self.labels[place] for place in row[more]) for row, more in zip(best, kept, strict=True)]

    def closest(self, item: FloatArray) -> tuple[str, ...]:
        """Phrases that, said, ask most for a (D,) item, the most first: at most PHRASES_EACH."""
        fits = self._vectors[:, self._words] @ item[self._words]
        order = np.argsort(-fits, kind="stable") if self.labels else ()
        return tuple(self.labels[place] for place in order[:PHRASES_EACH])

    def label_interests(self, interests: FloatArray) -> list[tuple[str, ...]]:
        """For each of the K interests its best phrases, best first; empty tuples where a bundle has no phrases."""
        order = np.argsort(-self.score(interests), axis=1, kind="stable")[:, :PHRASES_EACH]
        return [tuple(self.labels[place] for place in row) for row in order]
