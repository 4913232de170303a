"""Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): relevance, less the likeness to the nearest taken.

gain(i) = (1 - diversity) * relevance(i) - diversity * max over the taken j of likeness(i, j)
"""

import numpy as np

from app.domain import FloatArray
from app.reranking.greedy import likeness, weight_of


class Mmr:
    """`Greedy` by the nearest item taken. vectors: (C, D) of unit length. diversity: in (0, 1]."""

    def __init__(self, relevance: FloatArray, vectors: FloatArray, diversity: float) -> None:
        self._relevance = relevance
        self._vectors = vectors
        self._diversity = diversity
        self._weight = weight_of(diversity)
        self._nearest = np.zeros(len(relevance), dtype=np.float32)

    @property
    def gains(self) -> FloatArray:
        return self._weight * self._relevance - self._diversity * self._nearest

    def take(self, candidate: int) -> None:
        np.maximum(self._nearest, likeness(self._vectors, candidate), out=self._nearest)
