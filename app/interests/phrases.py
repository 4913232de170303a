"""Interest vectors read as phrases: what each of a user's interests is about.

A phrase is a point in the same space as items, so the score of a phrase under an interest is a score like any other.
What every user scores high ("drama") says little of this one, so the mean over training users is taken off first.
"""

import numpy as np

from app.domain import FloatArray
from app.trained import Trained

PHRASES_EACH = 3
PHRASES_OF_ITEM = 8


class Phrasebook:
    """The bundle's phrases as vectors of the one space."""

    def __init__(self, trained: Trained, vectors: FloatArray) -> None:
        self.labels = trained.phrases
        self._vectors = vectors  # (P, D)
        self._baseline = trained.phrase_baseline  # (P,)

    def score(self, interests: FloatArray) -> FloatArray:
        """(K, P): how much more each interest asks for each phrase than users do on average. interests: (K, D)."""
        return interests @ self._vectors.T - self._baseline

    def name_match(self, interest: FloatArray, item: FloatArray) -> str | None:
        """The phrase that an item and an interest have in common; None where they share none. Both (D,).

        Of the phrases closest to the item, the one the interest asks for most, if it asks for it more than users do on
        average: so the phrase is true of the item, and wanted.
        """
        return next(iter(self.shared(interest, item)), None)

    def shared(self, interest: FloatArray, item: FloatArray) -> tuple[str, ...]:
        """Phrases that an item and an interest have in common, the most wanted first: at most PHRASES_EACH. Both (D,).

        As `name_match`, of which the first is the answer: close to the item, and asked for more than by users at large.
        """
        if not self.labels:
            return ()
        closest = np.argsort(-(self._vectors @ item), kind="stable")[:PHRASES_OF_ITEM]
        wanted = self.score(interest[None])[0, closest]
        order = [place for place in np.argsort(-wanted, kind="stable") if wanted[place] > 0]
        return tuple(self.labels[closest[place]] for place in order[:PHRASES_EACH])

    def closest(self, item: FloatArray) -> tuple[str, ...]:
        """Phrases that fit a (D,) item best, the best first: at most PHRASES_EACH."""
        order = np.argsort(-(self._vectors @ item), kind="stable") if self.labels else ()
        return tuple(self.labels[place] for place in order[:PHRASES_EACH])

    def label_interests(self, interests: FloatArray) -> list[tuple[str, ...]]:
        """For each of the K interests its best phrases, best first; empty tuples where a bundle has no phrases."""
        order = np.argsort(-self.score(interests), axis=1, kind="stable")[:, :PHRASES_EACH]
        return [tuple(self.labels[place] for place in row) for row in order]
