"""Ranking metrics, vectorised: of the target's rank, and of the lists that were recommended.

Every question has one right item, so HR@k is Recall@k and the ideal DCG is 1. A rank counts the items placed before
the target: 0 is the top of the list, UNRANKED an item that could not be recommended at all. What is made from ranks
is one number a question, so means, slices and intervals are all taken of the same values; what is made from lists is
one number for all of them. Lists are (Q, depth) item rows, best first, -1 where fewer items could be recommended.
"""

import numpy as np
import numpy.typing as npt

from app.domain import BoolArray, FloatArray, IntArray

Values = npt.NDArray[np.float64]

UNRANKED = int(np.iinfo(np.int32).max)
NO_ITEM = -1


def pessimistic_ranks(scores: FloatArray, targets: IntArray) -> IntArray:
    """(Q,): how many other items score at least as much as the target. scores: (Q, N); targets: (Q,) item rows.

    Ties count against the target, as does every NaN: scores [2, 1, 2, nan] put row 0 at rank 2 and row 1 at rank 3. So
    a constant scorer puts every target last. A target whose own score is NaN or -inf is UNRANKED.
    """
    own = scores[np.arange(len(targets)), targets]
    behind = np.count_nonzero(scores < own[:, None], axis=1)
    return np.where(own > -np.inf, scores.shape[1] - 1 - behind, UNRANKED).astype(np.int64)


def top_rows(scores: FloatArray, depth: int) -> IntArray:
    """(Q, depth): rows of the highest scores, equal ones in row order. -inf and NaN are never recommended.

    Ties at the last place are settled by row, not by np.argpartition, whose choice differs between processors.
    """
    scores = np.where(np.isnan(scores), -np.inf, scores)
    depth_there = min(depth, scores.shape[1])
    last_kept = np.partition(scores, -depth_there, axis=1)[:, -depth_there]
    place, rows = np.nonzero((scores >= last_kept[:, None]) & (scores > -np.inf))
    order = np.lexsort((rows, -scores[place, rows], place))
    place, rows = place[order], rows[order]
    column = np.arange(len(place)) - np.searchsorted(place, place)
    top = np.full((len(scores), depth), NO_ITEM, dtype=np.int64)
    kept = column < depth
    top[place[kept], column[kept]] = rows[kept]
    return top


def hit_rate_at(ranks: IntArray, k: int) -> Values:
    """(Q,): 1 where the target is among the first k, else 0. Ranks [0, 9, 10] at 10: [1, 1, 0]."""
    return (ranks < k).astype(np.float64)


def ndcg_at(ranks: IntArray, k: int) -> Values:
    """(Q,): 1 / log2(rank + 2) within the first k, else 0. Ranks [0, 2, 10] at 10: [1, 0.5, 0]."""
    return np.where(ranks < k, 1 / np.log2(ranks + 2.0), 0.0)


def reciprocal_rank_at(ranks: IntArray, k: int) -> Values:
    """(Q,): 1 / (rank + 1) within the first k, else 0; its mean is MRR@k. Ranks [0, 3, 10] at 10: [1, 0.25, 0]."""
    return np.where(ranks < k, 1 / (ranks + 1.0), 0.0)


def coverage_at(top: IntArray, k: int, n_items: int) -> float:
    """Share of the catalogue that stands in at least one list. Lists [0, 1] and [0, 2] out of 4 items: 0.75."""
    return float((_exposures(top, k, n_items) > 0).mean())


def gini_at(top: IntArray, k: int, n_items: int) -> float:
    """How unequally places are shared out: sum_i (2i - N - 1) x_i / (N sum x), x ascending, i from 1.

    0: every item is shown equally often. Lists [0], [0] out of 2 items: x = [0, 2], (-1 * 0 + 1 * 2) / (2 * 2) = 0.5.
    """
    shown = np.sort(_exposures(top, k, n_items))
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((weights * shown).sum() / (n_items * max(shown.sum(), 1)))


def novelty_at(top: IntArray, k: int, training_counts: IntArray) -> float:
    """Mean of -log2(share of training events) over recommended items: the bits that showing one tells.

    An item never seen in training counts as seen once. Counts [4, 2, 2], list [0, 1]: (1 + 2) / 2 = 1.5.
    """
    bits = -np.log2(np.maximum(training_counts, 1) / max(training_counts.sum(), 1))
    shown = _exposures(top, k, len(training_counts))
    return float((bits * shown).sum() / max(shown.sum(), 1))


def intra_list_diversity_at(top: IntArray, k: int, item_vectors: FloatArray) -> float:
    """Mean over lists of 1 - mean cosine of the pairs in a list. item_vectors: (N, D), of a model outside the contest.

    Lists with fewer than two items are left out. Vectors [1, 0], [1, 0], [0, 1] in one list: cosines 1, 0, 0, so 2 / 3.
    """
    norms = np.linalg.norm(item_vectors, axis=1, keepdims=True)
    unit = np.where(norms > 0, item_vectors / np.maximum(norms, np.finfo(np.float32).tiny), 0)
    unit = np.concatenate([unit, np.zeros_like(unit[:1])])  # NO_ITEM reads the last row
    diversities = [_list_diversity(top[start : start + 1024, :k], unit) for start in range(0, len(top), 1024)]
    return float(np.nanmean(np.concatenate(diversities))) if len(top) else float("nan")


def _list_diversity(lists: IntArray, unit: FloatArray) -> Values:
    """(Q,): the pairs' cosines all at once, by |sum v|^2 = sum |v|^2 + 2 * sum of the pairs."""
    vectors = unit[lists].astype(np.float64)
    pairs_twice = (vectors.sum(axis=1) ** 2).sum(axis=1) - (vectors**2).sum(axis=(1, 2))
    length = _there(lists).sum(axis=1)
    return 1 - pairs_twice / np.where(length > 1, length * (length - 1.0), np.nan)


def _exposures(top: IntArray, k: int, n_items: int) -> IntArray:
    """(N,): in how many lists each item stands."""
    lists = top[:, :k]
    return np.bincount(lists[_there(lists)], minlength=n_items)


def _there(lists: IntArray) -> BoolArray:
    return lists != NO_ITEM
