"""What every way to diversify is: a greedy choice, place by place, whose gains fall for what is like the chosen."""

from typing import Protocol

import numpy as np

from app.domain import FloatArray


class Greedy(Protocol):
    """Made for one slate of C candidates."""

    @property
    def gains(self) -> FloatArray:
        """(C,) what each candidate would add to the slate so far; the largest is to be taken next."""
        ...

    def take(self, candidate: int) -> None:
        """Put a candidate into the slate; never the same one twice."""
        ...


class ByRelevance:
    """No diversity: the gains are the relevance, whatever was taken."""

    def __init__(self, relevance: FloatArray) -> None:
        self.gains = relevance

    def take(self, candidate: int) -> None:
        """Nothing changes."""


def weight_of(diversity: float) -> float:
    """Of relevance, beside `diversity`: never quite 0, so that equals are told apart by it."""
    return max(1.0 - diversity, 1e-3)


def unit(vectors: FloatArray) -> FloatArray:
    """(C, D) rows at unit length; a row of zeros stays zero, and is then like nothing."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def likeness(vectors: FloatArray, candidate: int) -> FloatArray:
    """(C,) of unit rows to one of them: (1 + cosine) / 2, in [0, 1], a positive semi-definite kernel."""
    return (0.5 + 0.5 * (vectors @ vectors[candidate])).astype(np.float32)
