"""Who liked what, as sparse matrices."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from app.domain import IntArray
from app.offline.dataset import Dataset
from app.offline.questions import liked_in_training, past_events
from app.offline.split import Split

BLOCK_ITEMS = 512


def training_matrix(dataset: Dataset, split: Split) -> sparse.csr_array:
    """(U, N) float32: 1 where the user liked the item in training."""
    liked = liked_in_training(dataset, split)
    return _ones(dataset.users[liked], dataset.rows[liked], (dataset.n_users, dataset.n_items))


def history_matrix(dataset: Dataset, questions: IntArray, last: int | None = None) -> sparse.csr_array:
    """(Q, N) float32: 1 where the item was liked among the `last` events before the question."""
    place, position = past_events(dataset, questions, last)
    liked = dataset.weights[position] > 0
    return _ones(place[liked], dataset.rows[position[liked]], (len(questions), dataset.n_items))


def cooccurrence_blocks(matrix: sparse.csr_array) -> Iterator[tuple[int, sparse.csr_array]]:
    """(first row, (B, N) float32): how many users liked both items. In blocks, since N x N need not fit in memory."""
    by_item = matrix.T.tocsr()
    for start in range(0, by_item.shape[0], BLOCK_ITEMS):
        yield start, by_item[start : start + BLOCK_ITEMS] @ matrix


def _ones(first: IntArray, second: IntArray, shape: tuple[int, int]) -> sparse.csr_array:
    matrix = sparse.csr_array((np.ones(len(first), dtype=np.float32), (first, second)), shape=shape)
    matrix.data[:] = 1  # an item liked twice is liked
    return matrix
