"""Scored candidates to the order of a slate."""

import numpy as np

from app.domain import IntArray, Scores


def order_slate(scores: Scores, k: int) -> IntArray:
    """Positions of the k best candidates, best first; equal scores keep the candidates' order."""
    return np.argsort(-scores.total, kind="stable")[:k].astype(np.int64)
