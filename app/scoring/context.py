"""Requests' contexts as the gate reads them: declared features to codes, times to buckets."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain import Context, IntArray
from models.context_gate import ContextBatch, context_batch


class ContextCodes:
    """The declared context features of a bundle: name -> the values it was trained on, in code order from 1."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self.values = {name: tuple(known) for name, known in sorted(values.items())}
        self._codes = {name: {v: code for code, v in enumerate(known, 1)} for name, known in self.values.items()}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each feature, "not known" included."""
        return tuple(len(known) + 1 for known in self.values.values())

    def encode(self, features: Mapping[str, str]) -> IntArray:
        """(F,) codes; 0 where the feature is not given, or its value was never trained on."""
        return np.array([codes.get(features.get(name, ""), 0) for name, codes in self._codes.items()], dtype=np.int64)

    def encode_columns(self, columns: Mapping[str, np.ndarray], n: int) -> IntArray:
        """(n, F) codes of n events, from one array of values a feature."""
        table = np.zeros((n, len(self.values)), dtype=np.int64)
        for place, (name, codes) in enumerate(self._codes.items()):
            if name in columns:
                table[:, place] = [codes.get(value, 0) for value in columns[name]]
        return table

    def batch(self, context: Context, last_event_at_s: int | None, *, has_times: bool) -> ContextBatch:
        """One request's context, shape (1,). last_event_at_s: None for a user without events."""
        at_s = np.array([int(context.at.timestamp())], dtype=np.int64)
        gap_s = np.array([-1]) if last_event_at_s is None else np.maximum(at_s - last_event_at_s, 0)
        return context_batch(at_s, gap_s, self.encode(context.features)[None, :], has_times=has_times)
