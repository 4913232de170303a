"""Item vectors from what stands beside what in histories, before any training: seconds of work, no gradient.

Counts of items within a few places of each other, turned into positive pointwise mutual information, and the leading
eigenvectors of that: what word2vec approaches by gradient. Source: Levy and Goldberg 2014, "Neural Word Embedding as
Implicit Matrix Factorization"; eigenvalues by their square root as in Levy, Goldberg and Dagan 2015, section 3.3.
"""

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import eigsh

from app.domain import FloatArray
from app.offline.dataset import Dataset
from app.offline.questions import liked_in_training
from app.offline.split import Split


def spectral_vectors(dataset: Dataset, split: Split, *, dim: int, window: int) -> FloatArray:
    """(N, dim) float32, from training events with a weight above 0; 0 for an item that stands beside no other.

    window: how many places apart two items may be; k places apart count 1/k.
    """
    information = _positive_information(count_neighbours(dataset, split, window))
    found = min(dim, dataset.n_items - 1)
    vectors = np.zeros((dataset.n_items, dim), dtype=np.float32)
    if information.nnz and found > 0:
        rng = np.random.default_rng(0)  # else another run has other signs
        values, directions = eigsh(information, k=found, which="LA", rng=rng, v0=rng.random(dataset.n_items))
        vectors[:, :found] = directions * np.sqrt(np.maximum(values, 0.0))
    return vectors


def count_neighbours(dataset: Dataset, split: Split, window: int) -> sparse.csr_matrix:
    """(N, N), symmetric: how often two items stand beside each other in one user's training history."""
    liked = np.flatnonzero(liked_in_training(dataset, split))
    rows, users = dataset.rows[liked], dataset.users[liked]
    shape = (dataset.n_items, dataset.n_items)
    total = sparse.csr_matrix(shape)
    for apart in range(1, window + 1):
        of_one = users[apart:] == users[:-apart]
        pairs = (rows[:-apart][of_one], rows[apart:][of_one])
        total = total + sparse.csr_matrix((np.full(int(of_one.sum()), 1 / apart), pairs), shape)
    return (total + total.T).tocsr()


def _positive_information(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """max(0, ln(c_ij C / (c_i c_j))) where two items were seen together, 0 elsewhere."""
    degree = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1e-9)
    pairs = counts.tocoo()
    ratio = pairs.data * degree.sum() / (degree[pairs.row] * degree[pairs.col])
    kept = sparse.csr_matrix((np.maximum(np.log(ratio), 0.0), (pairs.row, pairs.col)), counts.shape)
    kept.eliminate_zeros()
    return kept
