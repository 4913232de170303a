"""Histories to interest vectors: the user encoder of a bundle, fed from events. Serving, evaluation and the golden
queries all read histories through this file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from app.catalogue.live import LiveCatalogue
from app.domain import Event, FloatArray, IntArray
from app.history.worth import weigh
from app.interests.states import Digests, KeptStates
from app.telemetry import count_reading
from models.events import EventBatch, event_batch
from models.space import Space
from models.stepping import UserState, interests_of, read_state, step


@dataclass(frozen=True, slots=True)
class Reading:
    """One history as the encoder reads it: H >= 1 events of items that have a text vector, oldest first.

    text: (H, T) float32. rows: (H,) int64 item rows, -1 where the bundle was not trained on the item. at_s: (H,) int64.
    weights: (H,) float32. grows: whether it may come again with more events at its end; one that was made up, to see
    what an event does, will not.
    """

    text: FloatArray
    rows: IntArray
    at_s: IntArray
    weights: FloatArray
    grows: bool = True

    def without(self, place: int) -> "Reading":
        """The same history with one event left out, or itself if that is all there is."""
        if len(self.rows) == 1:
            return self
        kept = np.arange(len(self.rows)) != place
        return Reading(self.text[kept], self.rows[kept], self.at_s[kept], self.weights[kept], grows=False)


def read_events(events: Sequence[Event], catalogue: LiveCatalogue) -> tuple[Reading | None, tuple[Event, ...]]:
    """What the encoder can read of `events`, and which events those are; None where no item is known."""
    known = tuple(event for event in events if catalogue.find_slot(event.item_id) is not None)
    if not known:
        return None, ()
    slots = np.array([catalogue.find_slot(event.item_id) for event in known], dtype=np.int64)
    at_s = np.array([int(event.at.timestamp()) for event in known], dtype=np.int64)
    weights = np.array([weigh(event) for event in known], dtype=np.float32)
    return Reading(catalogue.text_at(slots), catalogue.rows_at(slots), at_s, weights), known


class HistoryEncoder:
    """Encodes batches of readings. Not for the event loop: a batch takes milliseconds."""

    def __init__(self, space: Space, device: torch.device, states: KeptStates | None = None) -> None:
        """states: where states are kept between calls; None keeps none."""
        self._space = space
        self._device = device
        self._states = states

    def encode(self, readings: Sequence[Reading]) -> list[FloatArray]:
        """(K, D) float32 for each reading, in order; D without the prior's columns.

        A reading that a kept state begins is stepped to its end. One that stands alone leaves its state for the next
        time; several that nothing is kept of are read together, which is faster than one by one, and leave none.
        """
        digests = [self._digest(reading) for reading in readings]
        answers = [self._step(*each) for each in zip(readings, digests, strict=True)]
        rest = [place for place, answer in enumerate(answers) if answer is None]
        if len(rest) == 1 and (digest := digests[rest[0]]) is not None:
            answers[rest[0]] = self._read_alone(readings[rest[0]], digest)
        elif rest:
            for place, answer in zip(rest, self._read_together([readings[place] for place in rest]), strict=True):
                answers[place] = answer
        return [answer for answer in answers if answer is not None]

    def _digest(self, reading: Reading) -> Digests | None:
        """None where no state is kept of such a reading."""
        if self._states is None or not reading.grows or len(reading.rows) > self._space.shape.max_events:
            return None
        return Digests(reading.text, reading.rows, reading.at_s, reading.weights)

    def _step(self, reading: Reading, digests: Digests | None) -> FloatArray | None:
        """None where no state is kept that the reading begins with."""
        if self._states is None or digests is None or (state := self._states.take(digests)) is None:
            return None
        known = len(state)
        tail = self._batch([_last(reading, len(reading.rows) - known + 1)])  # with the event before, for the first gap
        for place in range(1, int(tail.lengths[0])):
            state = step(self._space, state, tail.part(place, place + 1))
        self._states.keep(digests, state)
        count_reading("stepped")
        return self._interests(state)

    def _read_alone(self, reading: Reading, digests: Digests) -> FloatArray:
        state = read_state(self._space, self._batch([reading]))
        if self._states is not None:
            self._states.keep(digests, state)
        count_reading("alone")
        return self._interests(state)

    def _interests(self, state: UserState) -> FloatArray:
        vectors: FloatArray = interests_of(self._space, state)[0].cpu().numpy()
        return vectors

    def _read_together(self, readings: Sequence[Reading]) -> list[FloatArray]:
        batch = self._batch([_last(reading, self._space.shape.max_events) for reading in readings])
        count_reading("together", len(readings))
        with torch.inference_mode():
            return list(self._space.interests(batch).cpu().numpy())

    def _batch(self, recent: Sequence[Reading]) -> EventBatch:
        longest = max(len(reading.rows) for reading in recent)
        return event_batch(
            text=np.stack([_padded(reading.text, longest) for reading in recent]),
            rows=np.stack([_padded(reading.rows + 1, longest) for reading in recent]),
            at_s=np.stack([_padded(reading.at_s, longest, fill=reading.at_s[-1]) for reading in recent]),
            weights=np.stack([_padded(reading.weights, longest) for reading in recent]),
            lengths=np.array([len(reading.rows) for reading in recent]),
            has_times=self._space.shape.has_times,
        ).to(self._device)


def _last(reading: Reading, n: int) -> Reading:
    return Reading(reading.text[-n:], reading.rows[-n:], reading.at_s[-n:], reading.weights[-n:], reading.grows)


def _padded(array: np.ndarray, length: int, fill: float = 0) -> np.ndarray:
    padding = np.full((length - len(array), *array.shape[1:]), fill, dtype=array.dtype)
    return np.concatenate([array, padding])
