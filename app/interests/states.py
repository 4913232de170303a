"""Encoder states of histories read lately: a history that begins as one of them costs a step an event, not a reading.

A state is found by what its history says, event by event, and by nothing else: a changed text, a removed event or
another order is another history. Whose it was is not known here, so when anybody is erased all states go.
"""

import hashlib
from collections.abc import Iterator
from threading import Lock

import numpy as np
from cachetools import LRUCache

from app.domain import FloatArray, IntArray
from models.stepping import UserState

MOST_STEPS = 4
"""Events by which a history may have grown: stepping 5 costs as much as reading some 50 anew (3 ms a step, 13 ms)."""


class KeptStates:
    """The states used last, as many as fit. Safe to use from several threads; a state is used by one at a time."""

    def __init__(self, most_bytes: int) -> None:
        """most_bytes: 0 keeps nothing."""
        self._lock = Lock()
        self._states: LRUCache[bytes, UserState] = LRUCache(most_bytes, getsizeof=lambda state: state.n_bytes)

    def __len__(self) -> int:
        return len(self._states)

    @property
    def n_bytes(self) -> int:
        return int(self._states.currsize)

    def take(self, digests: "Digests") -> UserState | None:
        """The state of the longest beginning there is, at most MOST_STEPS events short, or None. It is out of the store
        then: stepping uses it up."""
        with self._lock:
            for digest in reversed(digests.beginnings):
                if (state := self._states.pop(digest, None)) is not None:
                    return state
        return None

    def keep(self, digests: "Digests", state: UserState) -> None:
        """Of the whole history. One that is larger than the store is dropped."""
        with self._lock:
            if state.n_bytes <= self._states.maxsize:
                self._states[digests.whole] = state

    def forget(self, _user_digest: str) -> None:
        """Somebody was erased: nothing tells which states were theirs."""
        with self._lock:
            self._states.clear()


class Digests:
    """What a history of H events is found by. beginnings: of its first H - MOST_STEPS to H events, shortest first, none
    of no event."""

    def __init__(self, text: FloatArray, rows: IntArray, at_s: IntArray, weights: FloatArray) -> None:
        """One row an event in each, as `app.interests.encoder.Reading` has them."""
        columns = (text, rows[:, None], at_s[:, None], weights[:, None])
        told = np.hstack([np.ascontiguousarray(column).view(np.uint8) for column in columns])
        self.beginnings = tuple(_digests(told))

    @property
    def whole(self) -> bytes:
        return self.beginnings[-1]


def _digests(told: np.ndarray) -> Iterator[bytes]:
    shortest = max(len(told) - MOST_STEPS, 1)
    hasher = hashlib.blake2b(told[:shortest].tobytes(), digest_size=16)
    yield hasher.digest()
    for event in told[shortest:]:
        hasher.update(event.tobytes())
        yield hasher.digest()
