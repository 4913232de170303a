"""Candidates to scores, and scores to the parts they are the sum of.

    s(i | u, c) = max_k  sum_d  (u_kd * g(c)_d + v(c)_d) * x_id   +   prior(i, c)   +   trend(i)   +   rules(i)

The parts are those of the winning interest: text and ID are what it would score with an open gate, context is what the
gate and the shift add or take, prior is the popularity in this part of the week, trend how that has moved lately. They
sum to the score.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from app.domain import PART_NAMES, Context, FloatArray, IntArray, Scores
from app.scoring.context import ContextCodes
from app.scoring.prior import PRIOR_DIM, TREND, bucket_of
from models.context_gate import ContextBatch
from models.space import Shape, Space


@dataclass(frozen=True, slots=True)
class Query:
    """What the index is asked. interests: (K, D) before the gate. gated: (K, D + PRIOR_DIM). gate, shift: (D,)."""

    interests: FloatArray
    gated: FloatArray
    gate: FloatArray
    shift: FloatArray


MOST_CONTEXTS = 2_000
"""Kept read: 24 hours of 7 days and a dozen gaps; 4 MB at 256 dimensions."""


class Scorer:
    """Makes queries of interests and contexts, and scores of candidates. Pure arithmetic on small arrays."""

    def __init__(self, space: Space, context: ContextCodes) -> None:
        self._space = space
        self._context = context
        self._device = next(space.parameters()).device
        self._read = lru_cache(MOST_CONTEXTS)(self._read_codes)  # from any thread

    @property
    def shape(self) -> Shape:
        return self._space.shape

    @property
    def dim(self) -> int:
        """D."""
        return self.shape.dim

    def query(self, interests: FloatArray, context: Context, last_event_at_s: int | None) -> Query:
        """interests: (K, D). K = 0 asks for what is popular in this context: one row, all prior and trend."""
        gate, shift = self._read_context(context, last_event_at_s)
        prior_weight = self._space.blend.prior
        if not len(interests):
            interests, prior_weight = np.zeros((1, self.dim), dtype=np.float32), 1.0
        prior = np.zeros((len(interests), PRIOR_DIM), dtype=np.float32)
        prior[:, bucket_of(context.at)] = prior_weight
        prior[:, TREND] = self._space.blend.trend
        return Query(interests, np.hstack([interests * gate + shift, prior]), gate, shift)

    def plain(self, interests: FloatArray) -> FloatArray:
        """(K, D + PRIOR_DIM): asks the index for what is closest, in any context and however little known."""
        return np.pad(interests, ((0, 0), (0, PRIOR_DIM)))

    def score(self, query: Query, vectors: FloatArray) -> Scores:
        """Scores of C candidates whose index vectors are (C, D + PRIOR_DIM)."""
        winner = (vectors @ query.gated.T).argmax(axis=1)  # (C,)
        raw = query.interests[winner] * vectors[:, : self.dim]  # (C, D)
        parts = np.zeros((len(vectors), len(PART_NAMES)), dtype=np.float32)
        parts[:, PART_NAMES.index("text")] = raw[:, self.shape.texts].sum(axis=1)
        parts[:, PART_NAMES.index("id")] = raw[:, self.shape.behaviour].sum(axis=1)
        parts[:, PART_NAMES.index("context")] = raw @ (query.gate - 1.0) + vectors[:, : self.dim] @ query.shift
        popular = query.gated[winner, self.dim :] * vectors[:, self.dim :]  # (C, PRIOR_DIM)
        parts[:, PART_NAMES.index("prior")] = popular[:, :TREND].sum(axis=1)
        parts[:, PART_NAMES.index("trend")] = popular[:, TREND] + 0.0  # of a weight of 0 an answer would say -0.0
        return Scores(total=parts.sum(axis=1, dtype=np.float64), parts=parts, interest=winner.astype(np.int64))

    def _read_context(self, context: Context, last_event_at_s: int | None) -> tuple[FloatArray, FloatArray]:
        """(D,) gate and shift. Contexts are few, told in buckets and codes, and asked for twice a request."""
        batch = self._context.batch(context, last_event_at_s, has_times=self._space.shape.has_times)
        when = int(batch.hours), int(batch.weekdays), int(batch.gaps)
        return self._read(*when, tuple(batch.features[0].tolist()))

    def _read_codes(
        self, hour: int, weekday: int, gap: int, features: tuple[int, ...]
    ) -> tuple[FloatArray, FloatArray]:
        told = (torch.tensor([each], dtype=torch.int64, device=self._device) for each in (hour, weekday, gap, features))
        batch = ContextBatch(*told)
        with torch.inference_mode():
            return self._space.gate(batch)[0].cpu().numpy(), self._space.shift(batch)[0].cpu().numpy()


def take(scores: Scores, places: IntArray) -> Scores:
    """Scores of these candidates, in this order."""
    return Scores(scores.total[places], scores.parts[places], scores.interest[places])
