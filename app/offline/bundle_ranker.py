"""A trained bundle as a ranker: the served score of every item, batch by batch.

The same arithmetic as `app.scoring.scorer`, for many requests at once; a test holds the two to the same numbers.
"""

import numpy as np
import torch

from app.domain import BoolArray, FloatArray, IntArray
from app.offline.blend import add_trend
from app.offline.dataset import Dataset
from app.offline.trends import Trends
from app.offline.windows import Histories
from app.scoring.prior import buckets_of, long_run_share
from app.trained import Trained
from models.events import to_tensor


class BundleRanker:
    """Scores of the whole blend."""

    def __init__(self, trained: Trained, dataset: Dataset, train: BoolArray, name: str = "penchant") -> None:
        """train: (E,) the events whose likes the trend may know, once they have happened."""
        codes = trained.context.encode_columns(dataset.context, len(dataset.rows))
        self._name = name
        self._trained = trained
        self._dataset = dataset
        self._histories = Histories(dataset, trained.text, codes, trained.space.shape.has_times)
        shares = long_run_share(trained.n_events, trained.unseen_events)
        self._trends = Trends.of(dataset, train & (dataset.weights > 0), shares)
        self._device = next(trained.space.parameters()).device
        self._vectors = to_tensor(trained.vectors).to(self._device)

    @property
    def name(self) -> str:
        return self._name

    @torch.inference_mode()
    def scores(self, questions: IntArray) -> FloatArray:
        """(Q, N), each question in its own context."""
        space = self._trained.space
        context = self._histories.contexts(questions, questions - 1).to(self._device)
        before = self._histories.before(questions, space.shape.max_events)
        interests = space.interests(self._histories.events(before).to(self._device))  # (Q, K, D)
        best = (space.ask(interests, context) @ self._vectors.T).amax(dim=1).cpu().numpy()
        prior = self._trained.prior[:, buckets_of(self._dataset.at_s[questions])].T
        trend = self._trends.at(self._dataset.at_s[questions], space.blend.half_life_days)
        return add_trend(space.blend, np.asarray(best + space.blend.prior * prior, dtype=np.float32), trend)
