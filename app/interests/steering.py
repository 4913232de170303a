"""Words beside taste: on one scale, pulling and burying.

An inner product with a phrase and one with a learned interest are numbers of different sizes. Texts of one catalogue
are alike (measured on MovieLens: a phrase and an item have a cosine of 0.37, give or take 0.12), so a phrase says much
the same of every item, and little beside it; a learned interest also knows the ID block, and training drew its scores
as far apart as it needed them. So a phrase is *standardised* first: what it says of every item is taken off, and the
rest is stretched until it *reaches* 1: the best hundredth of the catalogue scores 1 more than the mean, on average.
Then it can be given the mean and the reach of the taste that it stands beside.

The reach and not the standard deviation, since a slate is made of the best, and the tails differ. Measured on MovieLens
over 80 pairs of user and phrase, when words were still read in the text block: words as long as an interest won all of
the first ten places or next to none (median 15%, ninth decile 100%); with equal reach they win a share of them (median
40%, ninth decile 70%).

All of it stays vectors, since a constant over the catalogue is (nearly) an inner product with the mean item: the index
is asked as ever, and parts stay sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from app.domain import FloatArray
from app.retrieval.index import ItemIndex
from models.space import Shape

SAMPLE = 2_000  # items that mean and reach are measured on: twenty are its best hundredth, in 0.3 ms at any size
BEST = 0.01
FLAT = 1e-6  # a row that reaches no further tells no items apart: it is not stretched


@dataclass(frozen=True, slots=True)
class Steering:
    """What is done to every row of an intent: rows * keep + vector. vector: (D,) float32."""

    keep: float
    vector: FloatArray

    def apply(self, rows: FloatArray) -> FloatArray:
        """(K, D) to (K, D)."""
        return (rows * self.keep + self.vector).astype(np.float32)


class CatalogueScale:
    """Means and reaches of scores over the catalogue. shape: which of their columns are which.

    Used from the event loop's thread. Over a catalogue without items everything is flat.
    """

    def __init__(self, index: ItemIndex, shape: Shape) -> None:
        self._index = index
        self._dim = shape.dim
        self._columns = shape.words
        self._n_slots = -1
        self._sample = self._middle = np.empty((0, shape.dim), dtype=np.float32)

    def measure(self, rows: FloatArray) -> tuple[float, float]:
        """Mean and reach of the best of (K, D) rows' scores; zeros without rows, or without items."""
        self._look()
        if not len(rows) or not len(self._sample):
            return 0.0, 0.0
        return _mean_and_reach((self._sample @ rows.T).max(axis=1))

    def standardise(self, row: FloatArray) -> FloatArray:
        """The (D,) row of a phrase with scores of mean 0 and reach 1; all zeros where it tells no items apart."""
        self._look()
        if not len(self._sample):
            return np.zeros_like(row)
        centred = row - float((self._sample @ row).mean()) * self._middle
        _, reach = _mean_and_reach(self._sample @ centred)
        return np.zeros_like(row) if reach < FLAT else (centred / reach).astype(np.float32)

    def match(self, standard: FloatArray, taste: FloatArray) -> FloatArray:
        """The (D,) row of a standardised phrase at the mean and the reach that the (K, D) rows of a taste have.

        The mean comes by a share of the mean item, whose scores are not quite constant: so the reach is not quite that.
        """
        mean, reach = self.measure(taste)
        return (standard * reach + mean * self._middle).astype(np.float32)

    def _look(self) -> None:
        """Evenly spaced slots, the same for every request until the catalogue grows.

        `_middle` is the vector whose scores have mean 1: along the mean item's words block, nothing else in it.
        """
        if self._n_slots == self._index.n_slots:
            return
        self._n_slots = self._index.n_slots
        slots = np.linspace(0, self._n_slots - 1, min(SAMPLE, self._n_slots)).astype(np.int64)
        self._sample = self._index.gather(slots)[:, : self._dim]
        middle = np.zeros(self._dim, dtype=np.float32)
        middle[self._columns] = self._sample[:, self._columns].mean(axis=0) if len(slots) else 0
        self._middle = middle / max(float(middle @ middle), FLAT)


def _mean_and_reach(scores: FloatArray) -> tuple[float, float]:
    """How far the mean of the best hundredth, of one item at least, lies above the mean of all."""
    n = ceil(BEST * len(scores))
    best = np.partition(scores, len(scores) - n)[len(scores) - n :]
    return float(scores.mean()), float(best.mean() - scores.mean())


def toward(wanted: Sequence[FloatArray], unwanted: Sequence[FloatArray]) -> FloatArray:
    """Mean of what is wanted minus mean of what is not, (D,); at least one of the two holds something."""
    sides = [(1.0, wanted), (-1.0, unwanted)]
    return np.sum([sign * np.mean(side, axis=0) for sign, side in sides if len(side)], axis=0).astype(np.float32)
