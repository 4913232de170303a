"""Histories to interest vectors: the user encoder of a bundle, fed from events. Serving, evaluation and the golden
queries all read histories through this file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from app.catalogue.live import LiveCatalogue
from app.domain import Event, FloatArray, IntArray
from app.history.weights import event_weight
from models.events import event_batch
from models.space import Space


@dataclass(frozen=True, slots=True)
class Reading:
    """One history as the encoder reads it: H >= 1 events of items that have a text vector, oldest first.

    text: (H, T) float32. rows: (H,) int64 item rows, -1 where the bundle was not trained on the item. at_s: (H,) int64.
    weights: (H,) float32.
    """

    text: FloatArray
    rows: IntArray
    at_s: IntArray
    weights: FloatArray

    def without(self, place: int) -> "Reading":
        """The same history with one event left out, or itself if that is all there is."""
        if len(self.rows) == 1:
            return self
        kept = np.arange(len(self.rows)) != place
        return Reading(self.text[kept], self.rows[kept], self.at_s[kept], self.weights[kept])


def read_events(events: Sequence[Event], catalogue: LiveCatalogue) -> tuple[Reading | None, tuple[Event, ...]]:
    """What the encoder can read of `events`, and which events those are; None where no item is known."""
    known = tuple(event for event in events if catalogue.find_slot(event.item_id) is not None)
    if not known:
        return None, ()
    slots = np.array([catalogue.find_slot(event.item_id) for event in known], dtype=np.int64)
    at_s = np.array([int(event.at.timestamp()) for event in known], dtype=np.int64)
    weights = np.array([_weight(event) for event in known], dtype=np.float32)
    return Reading(catalogue.text_at(slots), catalogue.rows_at(slots), at_s, weights), known


def _weight(event: Event) -> float:
    return event_weight(event.type, event.value, event.dwell_s, event.completion)


class HistoryEncoder:
    """Encodes batches of readings. Not for the event loop: a batch takes milliseconds."""

    def __init__(self, space: Space, device: torch.device) -> None:
        self._space = space
        self._device = device

    def encode(self, readings: Sequence[Reading]) -> list[FloatArray]:
        """(K, D) float32 for each reading, in order; D without the prior's columns."""
        recent = [_last(reading, self._space.shape.max_events) for reading in readings]
        longest = max(len(reading.rows) for reading in recent)
        batch = event_batch(
            text=np.stack([_padded(reading.text, longest) for reading in recent]),
            rows=np.stack([_padded(reading.rows + 1, longest) for reading in recent]),
            at_s=np.stack([_padded(reading.at_s, longest, fill=reading.at_s[-1]) for reading in recent]),
            weights=np.stack([_padded(reading.weights, longest) for reading in recent]),
            lengths=np.array([len(reading.rows) for reading in recent]),
            has_times=self._space.shape.has_times,
        )
        with torch.inference_mode():
            return list(self._space.interests(batch.to(self._device)).cpu().numpy())


def _last(reading: Reading, n: int) -> Reading:
    return Reading(reading.text[-n:], reading.rows[-n:], reading.at_s[-n:], reading.weights[-n:])


def _padded(array: np.ndarray, length: int, fill: float = 0) -> np.ndarray:
    padding = np.full((length - len(array), *array.shape[1:]), fill, dtype=array.dtype)
    return np.concatenate([array, padding])
