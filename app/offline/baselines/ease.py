"""EASE: a linear autoencoder of histories in closed form. Source: Steck, Embarrassingly Shallow Autoencoders, 2019."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from app.domain import FloatArray, IntArray
from app.errors import DataError
from app.offline.baselines.interactions import cooccurrence_blocks, history_matrix, training_matrix
from app.offline.baselines.popularity import TIE_BREAK, relative_popularity
from app.offline.dataset import Dataset
from app.offline.split import Split

MOST_ITEMS = 15_000


@dataclass(frozen=True)
class Ease:
    """history @ B with B = I - P / diag(P), P = (X'X + penalty * I)^-1, X the users' liked items in training.

    weights: B, (N, N) float32. Order and time of events play no part. Popularity settles ties.
    """

    name: ClassVar[str] = "ease"
    grid: ClassVar[tuple[dict[str, float], ...]] = ({"penalty": 100}, {"penalty": 500}, {"penalty": 2_000})
    dataset: Dataset
    weights: FloatArray
    popularity: FloatArray

    @classmethod
    def fit(cls, dataset: Dataset, split: Split, *, penalty: float = 500) -> Self:
        """Takes N^2 * 4 bytes and about N^3 operations. Raises DataError above MOST_ITEMS items."""
        if dataset.n_items > MOST_ITEMS:
            raise DataError(
                f"EASE inverts a matrix of items by items, and {dataset.n_items:,} items would take "
                f"{dataset.n_items**2 * 4 / 1e9:.1f} GB: at most {MOST_ITEMS:,} are accepted. Leave it out here"
            )
        return cls(dataset, _weights(training_matrix(dataset, split), penalty), relative_popularity(dataset, split))

    def scores(self, questions: IntArray) -> FloatArray:
        return history_matrix(self.dataset, questions) @ self.weights + TIE_BREAK * self.popularity


def _weights(matrix: sparse.csr_array, penalty: float) -> FloatArray:
    n_items = matrix.shape[1]
    gram = np.zeros((n_items, n_items), dtype=np.float32, order="F")  # the order LAPACK works on in place
    for first_row, both in cooccurrence_blocks(matrix):
        gram[first_row : first_row + both.shape[0]] = both.toarray()
    gram[np.diag_indices(n_items)] += penalty
    weights = _invert(gram)
    weights /= -np.diag(weights)
    np.fill_diagonal(weights, 0)
    return weights


def _invert(gram: FloatArray) -> FloatArray:
    """Inverse of a positive definite matrix, in the same memory, by Cholesky: half the work of np.linalg.inv."""
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    if failed:
        raise DataError("the penalty of EASE is too small for these data: its matrix is not positive definite")
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    for row in range(len(inverse)):
        inverse[row, row + 1 :] = inverse[row + 1 :, row]
    return inverse.T  # symmetric: the same numbers, in the row order that a product with a sparse matrix wants
