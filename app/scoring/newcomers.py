"""What behaviour tells of a text alone: newcomers and words are read through the known items that they resemble.

An item without a training event has no ID vector of its own, and words have none ever. A newcomer gets the ID block of
its twin, the known item with the nearest text; words get the mean of the NEAREST known items. See docs/decisions/0030.
"""

import numpy as np

from app.domain import FloatArray, IntArray
from models.space import Shape

NEAREST = 10
"""Items that words resemble. On the demo, titles told as words did better with 5 and names of genres with 15."""


class Known:
    """The items that training saw events of. text: (N, T) of all items. vectors: (N, D). n_events: (N,)."""

    def __init__(self, text: FloatArray, vectors: FloatArray, n_events: IntArray, shape: Shape) -> None:
        self._rows = np.flatnonzero(n_events)
        self._text = text[self._rows]
        self._words = vectors[self._rows, shape.words]
        self._behaviour = vectors[self._rows, shape.behaviour]

    def twins(self, text: FloatArray) -> FloatArray:
        """(I,) ID block for the (T,) text vector of a newcomer; zeros where nothing is known."""
        if not len(self._rows):
            return np.zeros(self._behaviour.shape[1], dtype=np.float32)
        return self._behaviour[_twin(self._text, text)]

    def resembling(self, said: FloatArray) -> FloatArray:
        """(I,) mean ID block of what lies nearest to a (words_dim,) words block; zeros where nothing is known."""
        likeness = self._words @ said
        nearest = np.sort(np.argpartition(-likeness, NEAREST - 1)[:NEAREST]) if len(likeness) > NEAREST else slice(None)
        found = self._behaviour[nearest]
        return np.asarray(found.sum(axis=0) / max(len(found), 1), dtype=np.float32)


def find_twins(text: FloatArray, n_events: IntArray) -> tuple[IntArray, IntArray]:
    """(M,) rows of the items without events, and of the twin of each; none where nothing is known. text: (N, T)."""
    known, newcomers = np.flatnonzero(n_events), np.flatnonzero(n_events == 0)
    if not len(known) or not text.shape[1]:
        return newcomers[:0], known[:0]
    texts = text[known]
    return newcomers, known[[_twin(texts, text[row]) for row in newcomers]]


def _twin(texts: FloatArray, text: FloatArray) -> int:
    return int((texts @ text).argmax())
