"""Frozen text, nothing trained: items whose text is near that of the last ones; and Markov counts plus that."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from app.domain import FloatArray, IntArray
from app.offline.baselines.markov import steps_from_last, transition_counts
from app.offline.baselines.popularity import TIE_BREAK, relative_popularity
from app.offline.dataset import Dataset
from app.offline.questions import history_ends, past_events
from app.offline.split import Split

FADING = 0.7  # weight of an event against the one after it: halved about every two events


@dataclass(frozen=True)
class TextSimilarity:
    """Cosine of each item's text with the mean of the `last` liked ones, later ones weighing more.

    item_vectors: (N, D) float32 of unit length, of a model that saw none of these events. An item without any training
    event is ranked like every other. Without history all scores are equal.
    """

    name: ClassVar[str] = "text_similarity"
    grid: ClassVar[tuple[dict[str, float], ...]] = ({"last": 1}, {"last": 5}, {"last": 20})
    dataset: Dataset
    item_vectors: FloatArray
    last: int

    @classmethod
    def fit(cls, dataset: Dataset, split: Split, *, item_vectors: FloatArray, last: int = 5) -> Self:  # noqa: ARG003
        if len(item_vectors) != dataset.n_items:
            raise ValueError(f"{len(item_vectors)} text vectors for {dataset.n_items} items: one an item, in row order")
        return cls(dataset, _unit(item_vectors), last)

    def scores(self, questions: IntArray) -> FloatArray:
        place, position = past_events(self.dataset, questions, self.last)
        fading = FADING ** (history_ends(self.dataset, questions)[place] - 1 - position) * (
            self.dataset.weights[position] > 0
        )
        shape = (len(questions), self.dataset.n_items)
        recent = sparse.csr_array((fading.astype(np.float32), (place, self.dataset.rows[position])), shape=shape)
        return _unit(recent @ self.item_vectors) @ self.item_vectors.T


@dataclass(frozen=True)
class MarkovText:
    """log(1 + times j followed the last item) + weight * text cosine; popularity settles ties.

    The strongest ranker without training that we know of on sparse catalogues: what a trained one must clear.
    """

    name: ClassVar[str] = "markov_text"
    grid: ClassVar[tuple[dict[str, float], ...]] = tuple(
        {"weight": weight, "last": last} for weight in (1, 2, 4) for last in (1, 5)
    )
    text: TextSimilarity
    log_counts: sparse.csr_array
    popularity: FloatArray
    weight: float

    @classmethod
    def fit(cls, dataset: Dataset, split: Split, *, item_vectors: FloatArray, weight: float = 2, last: int = 5) -> Self:
        text = TextSimilarity.fit(dataset, split, item_vectors=item_vectors, last=last)
        log_counts = transition_counts(dataset, split).log1p()
        return cls(text, log_counts, relative_popularity(dataset, split), weight)

    def scores(self, questions: IntArray) -> FloatArray:
        counted = steps_from_last(self.text.dataset, self.log_counts, questions)
        return counted + self.weight * self.text.scores(questions) + TIE_BREAK * self.popularity


def _unit(vectors: FloatArray) -> FloatArray:
    """Zero stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)
