"""Implicit-feedback matrix factorisation, by the library `implicit`. Source: Hu, Koren, Volinsky, 2008."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from app.domain import FloatArray, IntArray
from app.offline.baselines.interactions import history_matrix, training_matrix
from app.offline.baselines.popularity import TIE_BREAK, relative_popularity
from app.offline.dataset import Dataset
from app.offline.split import Split


@dataclass(frozen=True)
class Als:
    """Item factors are learned; a user's are solved for at the question, from all of the history.

    confidence: weight of a liked item against the 1 of every other. Popularity settles ties.
    """

    name: ClassVar[str] = "als"
    grid: ClassVar[tuple[dict[str, float], ...]] = tuple(
        {"factors": factors, "confidence": confidence} for factors in (128, 256) for confidence in (2, 20)
    )
    dataset: Dataset
    model: Any
    popularity: FloatArray

    @classmethod
    def fit(cls, dataset: Dataset, split: Split, *, factors: int = 128, confidence: float = 2, seed: int = 0) -> Self:
        """One thread, so that a seed gives one result. Raises ModuleNotFoundError without `implicit`."""
        new_model, limit_threads = _load_library()
        with limit_threads(1, "blas"):  # the library warns that it is slow otherwise
            model = new_model(
                factors=factors, alpha=confidence, regularization=1.0, iterations=15, num_threads=1, random_state=seed
            )
            model.fit(_as_implicit_takes_it(training_matrix(dataset, split)), show_progress=False)
        return cls(dataset, model, relative_popularity(dataset, split))

    def scores(self, questions: IntArray) -> FloatArray:
        histories = _as_implicit_takes_it(history_matrix(self.dataset, questions))
        users = self.model.recalculate_user(np.arange(len(questions)), histories)
        return users @ self.model.item_factors.T + TIE_BREAK * self.popularity


def _as_implicit_takes_it(matrix: sparse.csr_array) -> sparse.csr_matrix:
    """It knows only scipy's older matrix classes, with 32-bit indices."""
    return sparse.csr_matrix(matrix)


def _load_library() -> tuple[Any, Any]:
    """The model's class, and threadpoolctl's limit, which comes with it."""
    try:
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("the ALS baseline needs the package `implicit`: pip install implicit") from missing
    return AlternatingLeastSquares, threadpool_limits
