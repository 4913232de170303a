"""What a tower reads of each event beside the item: how much it was liked, when, and how long after the last one.

The bucket edges are the contract between training and serving; both call `event_features` and nothing else.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

N_WEIGHTS = 8
N_HOURS = 25  # 24 and one for "no time known"
N_WEEKDAYS = 8  # 7 and one for "no time known"
N_GAPS = 41  # 40 and one for "first event, or no time known"
NO_HOUR, NO_WEEKDAY, NO_GAP = N_HOURS - 1, N_WEEKDAYS - 1, N_GAPS - 1

_WEIGHT_EDGES = np.array([-0.5, 0.0, 0.25, 0.45, 0.65, 0.85, 0.99], dtype=np.float32)
_GAP_LOG_STEP = 0.5  # a bucket every factor of e^0.5 = 1.65: 40 of them reach 15 years


@dataclass(frozen=True, slots=True)
class EventBatch:
    """B histories of at most H events, oldest first, padded at the end.

    text: (B, H, T) float32 text vectors of the items. rows: (B, H) int64, item_row + 1; 0 where the item was not
    trained on or the place is padding. at_s: (B, H) int64 Unix seconds. weights, hours, weekdays, gaps: (B, H) int64
    buckets. lengths: (B,) int64, at least 1.
    """

    text: Tensor
    rows: Tensor
    at_s: Tensor
    weights: Tensor
    hours: Tensor
    weekdays: Tensor
    gaps: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> "EventBatch":
        return EventBatch(*(getattr(self, name).to(device) for name in self.__slots__))

    def part(self, start: int, end: int) -> "EventBatch":
        """The events from place `start` to before `end` of histories that are all that long."""
        told = {name: getattr(self, name)[:, start:end] for name in self.__slots__ if name != "lengths"}
        return EventBatch(**told, lengths=torch.full_like(self.lengths, end - start))


def event_batch(
    text: np.ndarray, rows: np.ndarray, at_s: np.ndarray, weights: np.ndarray, lengths: np.ndarray, *, has_times: bool
) -> EventBatch:
    """Pack B padded histories; the arguments are what `EventBatch` names, weights in [-1, 1].

    has_times: False where the source has no clock: order still counts, hours, weekdays and gaps are "not known".
    """
    gaps = np.full(rows.shape, NO_GAP, dtype=np.int64)
    if has_times:
        gaps[:, 1:] = gap_buckets(np.diff(at_s, axis=1))
    hours = hours_of(at_s) if has_times else np.full(rows.shape, NO_HOUR)
    weekdays = weekdays_of(at_s) if has_times else np.full(rows.shape, NO_WEEKDAY)
    arrays = (text, rows, at_s, weight_buckets(weights), hours, weekdays, gaps, lengths)
    return EventBatch(*map(to_tensor, arrays))


def to_tensor(array: np.ndarray) -> Tensor:
    """A copy in torch's own memory, which starts at multiples of 64 bytes. numpy's starts anywhere, and MKL's products
    differ in the last bits with it: two trainings of the same seed then end with other weights."""
    return torch.tensor(array)


def weight_buckets(weights: np.ndarray) -> np.ndarray:
    """Buckets 0 to 7 of event weights in [-1, 1]."""
    return np.searchsorted(_WEIGHT_EDGES, weights, side="right").astype(np.int64)


def gap_buckets(gap_s: np.ndarray) -> np.ndarray:
    """Buckets 0 to 39 of seconds between two events: floor(ln(1 + gap) / 0.5). A negative gap counts as 0."""
    return np.minimum(np.log1p(np.maximum(gap_s, 0)) / _GAP_LOG_STEP, NO_GAP - 1).astype(np.int64)


def elapsed_buckets(elapsed_s: Tensor) -> Tensor:
    """The same buckets of a tensor of seconds."""
    return (torch.log1p(elapsed_s.clamp(min=0).float()) / _GAP_LOG_STEP).long().clamp(max=NO_GAP - 1)


def hours_of(at_s: np.ndarray) -> np.ndarray:
    """UTC hour, 0 to 23, of Unix seconds."""
    return (at_s // 3600 % 24).astype(np.int64)


def weekdays_of(at_s: np.ndarray) -> np.ndarray:
    """UTC weekday, Monday 0, of Unix seconds. 1970-01-01 was a Thursday."""
    return ((at_s // 86_400 + 3) % 7).astype(np.int64)


class EventFeatures(nn.Module):
    """Sum of four learned vectors an event: weight, hour, weekday, gap. Starts at zero, so that it begins by adding
    nothing to a pretrained model."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Embedding(N_WEIGHTS, dim)
        self.hour = nn.Embedding(N_HOURS, dim)
        self.weekday = nn.Embedding(N_WEEKDAYS, dim)
        self.gap = nn.Embedding(N_GAPS, dim)
        for table in (self.weight, self.hour, self.weekday, self.gap):
            nn.init.zeros_(table.weight)

    def forward(self, events: EventBatch) -> Tensor:
        """(B, H, dim)."""
        return (
            self.weight(events.weights)
            + self.hour(events.hours)
            + self.weekday(events.weekdays)
            + self.gap(events.gaps)
        )


class TimeBias(nn.Module):
    """How much an event attends to an earlier one, by head and by the time between them; later ones are masked out.

    An event's row depends on its own time and earlier ones only, so the states of past events never change when a new
    one comes: they can be cached. Source: Zhai et al. 2024 (HSTU), section 3, relative time bias.
    """

    def __init__(self, heads: int, *, has_times: bool) -> None:
        super().__init__()
        self.bias = nn.Embedding(N_GAPS, heads)
        self.has_times = has_times
        nn.init.zeros_(self.bias.weight)

    def forward(self, at_s: Tensor) -> Tensor:
        """at_s: (B, H). Returns an additive mask (B, heads, H, H), -inf above the diagonal."""
        length = at_s.shape[1]
        later = torch.ones(length, length, dtype=torch.bool, device=at_s.device).triu(1)
        if not self.has_times:
            mask = torch.zeros(1, 1, length, length, device=at_s.device).masked_fill(later, float("-inf"))
            return mask.expand(at_s.shape[0], self.bias.embedding_dim, length, length)
        buckets = elapsed_buckets(at_s.unsqueeze(2) - at_s.unsqueeze(1))
        return self.bias(buckets).permute(0, 3, 1, 2).masked_fill(later, float("-inf"))

    def last_row(self, at_s: Tensor) -> Tensor:
        """at_s: (B, H). The mask's last row alone, (B, heads, 1, H): how the newest event attends."""
        if not self.has_times:
            return torch.zeros(at_s.shape[0], self.bias.embedding_dim, 1, at_s.shape[1], device=at_s.device)
        return self.bias(elapsed_buckets(at_s[:, -1:] - at_s)).permute(0, 2, 1).unsqueeze(2)
