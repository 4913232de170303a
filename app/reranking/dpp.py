"""Determinantal point process: the fast greedy MAP inference of Chen, Zhang and Zhou (NeurIPS 2018), algorithm 1.

A slate Y is worth  theta * sum of relevance  +  (1 - theta) * log det S_Y,  with theta = 1 - diversity and S the
likeness of items (their section 5): the determinant falls towards 0 as soon as one item can be told from the others.
Each step adds one row to the Cholesky factor of S_Y, so that a slate of k out of C costs O(k^2 C) and no inverse.
"""

import numpy as np

from app.domain import FloatArray
from app.reranking.greedy import likeness, weight_of

SMALLEST = 1e-6
"""Below it an item is taken to be a copy of what is there: what is left of it is rounding, and it adds no row."""


class Dpp:
    """`Greedy` by determinants. vectors: (C, D) of unit length. diversity: in (0, 1]."""

    def __init__(self, relevance: FloatArray, vectors: FloatArray, diversity: float, k: int) -> None:
        self._relevance = relevance
        self._vectors = vectors
        self._diversity = diversity
        self._weight = weight_of(diversity)
        self._left = np.ones(len(relevance))  # d_i^2: what the slate so far does not tell of item i
        self._factor = np.empty((k, len(relevance)))  # rows of the Cholesky factor
        self._n_taken = 0

    @property
    def gains(self) -> FloatArray:
        volume = np.log(np.maximum(self._left, SMALLEST))
        return (self._weight * self._relevance + self._diversity * volume).astype(np.float32)

    def take(self, candidate: int) -> None:
        if self._left[candidate] <= SMALLEST:
            return
        rows = self._factor[: self._n_taken]
        told = likeness(self._vectors, candidate) - rows[:, candidate] @ rows
        row = told / np.sqrt(self._left[candidate])
        self._left = np.maximum(self._left - row * row, 0.0)
        self._factor[self._n_taken] = row
        self._n_taken += 1
