"""The context gate: an interest u becomes the query u * g(c) + v(c), with g(c) = 1 + tanh(W c) and v(c) = V c.

g says what of an interest counts in this context, v what anybody wants in it; v reads declared features only, since
hours and weekdays have the prior. A gate of ones and a shift of zeros say nothing; training starts there. Both act on
the query side, so candidates are context-aware before any scoring.

Sources: g is the elementwise product interest . context . item of context-aware matrix factorisation, held to (0, 2) so
that no context can silence or explode a dimension; v . item is the context-item term of factorisation machines (Rendle
2010). Why both: docs/decisions/0026.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.events import (
    N_GAPS,
    N_HOURS,
    N_WEEKDAYS,
    NO_GAP,
    NO_HOUR,
    NO_WEEKDAY,
    gap_buckets,
    hours_of,
    weekdays_of,
)


@dataclass(frozen=True, slots=True)
class ContextBatch:
    """What is true of B requests. hours, weekdays, gaps: int64 buckets of `models.events`, any shape (...).

    features: (..., F) int64, one code a declared feature, 0 for "not given or not known".
    """

    hours: Tensor
    weekdays: Tensor
    gaps: Tensor
    features: Tensor

    def to(self, device: torch.device) -> "ContextBatch":
        return ContextBatch(*(getattr(self, name).to(device) for name in self.__slots__))


def context_batch(at_s: np.ndarray, gap_s: np.ndarray, features: np.ndarray, *, has_times: bool) -> ContextBatch:
    """Pack requests. at_s: (...) int64 Unix seconds; gap_s: (...) seconds since the user's last event, below 0 where
    there was none; features: (..., F) int64 codes."""
    if has_times:
        when = [hours_of(at_s), weekdays_of(at_s), np.where(gap_s < 0, NO_GAP, gap_buckets(gap_s))]
    else:
        when = [np.full(at_s.shape, code) for code in (NO_HOUR, NO_WEEKDAY, NO_GAP)]
    return ContextBatch(*(torch.from_numpy(np.ascontiguousarray(array)) for array in (*when, features)))


class ContextGate(nn.Module):
    """Context to a gate of `dim` numbers in (0, 2) and a shift of as many. W and V are stored as one table a feature: a
    one-hot times a matrix."""

    def __init__(self, dim: int, feature_sizes: tuple[int, ...]) -> None:
        """feature_sizes: number of codes of each declared feature, its code 0 included."""
        super().__init__()
        self.hour = nn.Embedding(N_HOURS, dim)
        self.weekday = nn.Embedding(N_WEEKDAYS, dim)
        self.gap = nn.Embedding(N_GAPS, dim)
        self.features = nn.ModuleList(nn.Embedding(size, dim, padding_idx=0) for size in feature_sizes)
        self.shifts = nn.ModuleList(nn.Embedding(size, dim, padding_idx=0) for size in feature_sizes)
        self.dim = dim
        for table in (self.hour, self.weekday, self.gap, *self.features, *self.shifts):
            nn.init.zeros_(table.weight)

    def forward(self, context: ContextBatch) -> Tensor:
        """(..., dim)."""
        total = self.hour(context.hours) + self.weekday(context.weekdays) + self.gap(context.gaps)
        for place, table in enumerate(self.features):
            total = total + table(context.features[..., place])
        return 1.0 + torch.tanh(total)

    def shift(self, context: ContextBatch) -> Tensor:
        """(..., dim); zeros where no feature is declared, given or known."""
        total = torch.zeros(*context.hours.shape, self.dim, device=context.hours.device)
        for place, table in enumerate(self.shifts):
            total = total + table(context.features[..., place])
        return total

    def ask(self, interests: Tensor, context: ContextBatch) -> Tensor:
        """(P, K, dim) queries of interests of the same shape, each row of them in one of P contexts."""
        return interests * self(context).unsqueeze(1) + self.shift(context).unsqueeze(1)
