"""Item-kNN: items liked by the same users as the last few."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from app.domain import FloatArray, IntArray
from app.offline.baselines.interactions import cooccurrence_blocks, history_matrix, training_matrix
from app.offline.baselines.popularity import TIE_BREAK, relative_popularity
from app.offline.dataset import Dataset
from app.offline.split import Split

NEIGHBOURS = 500  # kept of each item: 240 MB at 40,000 items, where all of them could take 19 GB


@dataclass(frozen=True)
class ItemKnn:
    """Sum over the `last` events of c_ij / (sqrt(n_i n_j) + shrink), c_ij: users of both items, n: users of one.

    similarities: (N, N) sparse float32, the NEIGHBOURS nearest of each row. Popularity settles ties.
    """

    name: ClassVar[str] = "item_knn"
    grid: ClassVar[tuple[dict[str, float], ...]] = tuple(
        {"last": last, "shrink": shrink} for last in (1, 5, 20) for shrink in (0, 10)
    )
    dataset: Dataset
    similarities: sparse.csr_array
    popularity: FloatArray
    last: int

    @classmethod
    def fit(cls, dataset: Dataset, split: Split, *, last: int = 5, shrink: float = 0) -> Self:
        similarities = _similarities(training_matrix(dataset, split), shrink)
        return cls(dataset, similarities, relative_popularity(dataset, split), last)

    def scores(self, questions: IntArray) -> FloatArray:
        recent = history_matrix(self.dataset, questions, self.last)
        return (recent @ self.similarities).toarray() + TIE_BREAK * self.popularity


def _similarities(matrix: sparse.csr_array, shrink: float) -> sparse.csr_array:
    root = np.sqrt(matrix.sum(axis=0))
    blocks = []
    for first_row, both in cooccurrence_blocks(matrix):
        shared = both.tocoo()
        row, column = shared.coords
        similarity = shared.data / (root[first_row + row] * root[column] + shrink)
        other = row + first_row != column  # no item is its own neighbour
        blocks.append(_nearest(similarity[other], row[other], column[other], both.shape))
    return sparse.vstack(blocks, format="csr")


def _nearest(similarity: FloatArray, row: IntArray, column: IntArray, shape: tuple[int, int]) -> sparse.csr_array:
    order = np.lexsort((column, -similarity, row))
    sorted_row = row[order]
    kept = order[np.arange(len(order)) - np.searchsorted(sorted_row, sorted_row) < NEIGHBOURS]
    return sparse.csr_array((similarity[kept].astype(np.float32), (row[kept], column[kept])), shape=shape)
