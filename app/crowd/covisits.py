"""Item-to-item collaborative filtering, kept fresh from events: which items were liked soon after one another.

A pair counts the smaller of both weights, divided by how many events lie between them, and older counts decay: every
`HALF_LIFE_EVENTS` events of the log, whatever the clock says, so that a quiet night or an old data set forgets nothing.
Decay runs forward (Cormode et al., ICDE 2009): new counts weigh more, old ones stay as they are written.

Memory is bounded by the Space-Saving sketch (Metwally et al., ICDT 2005), one row of NEIGHBOURS counters an item: a
pair without a counter takes over the smallest one of its row with its count, which it remembers as its possible error.
What a pair is told to count is count less error: never more than is true.
"""

from collections.abc import Sequence

import numpy as np

from app.domain import FloatArray, IntArray

NEIGHBOURS = 40
"""Counters an item: 480 bytes, 48 MB for 100,000 items."""
HALF_LIFE_EVENTS = 200_000
RESCALE_AT = 2.0**40
SHRINK = 5.0
"""Counts that an item's own total is raised by: two items met once, together, are no firm pair."""
NOBODY = -1


class CoVisits:
    """Counters by item code. Belongs to one thread."""

    def __init__(self, neighbours: int = NEIGHBOURS) -> None:
        self._width = neighbours
        self._others = np.full((0, neighbours), NOBODY, dtype=np.int32)
        self._counts = np.zeros((0, neighbours), dtype=np.float32)
        self._errors = np.zeros((0, neighbours), dtype=np.float32)
        self._totals = np.zeros(0, dtype=np.float32)
        self._scale = 1.0

    def add(self, ones: Sequence[int], others: Sequence[int], weights: Sequence[float], n_events: int) -> None:
        """Count pairs of different codes, each in both rows. n_events: events of the log since the last call."""
        if not len(ones):
            return
        self._age(n_events)
        self._grow(1 + max(max(ones), max(others)))
        rows, columns, counts = _sum_pairs(
            np.array(ones), np.array(others), np.array(weights, dtype=np.float32) * np.float32(self._scale)
        )
        np.add.at(self._totals, rows, counts)
        # A row at a time would be slow, all at once would meet a row twice: so the first pair of each row, then the
        # second of each, and so on.
        turn = np.arange(len(rows)) - np.searchsorted(rows, rows)
        order = np.argsort(turn, kind="stable")
        rows, columns, counts = rows[order], columns[order], counts[order]
        ends = np.cumsum(np.bincount(turn))
        for start, end in zip((0, *ends.tolist()), ends.tolist(), strict=False):
            self._count(rows[start:end], columns[start:end], counts[start:end])

    def score(self, codes: IntArray, weights: FloatArray) -> tuple[IntArray, FloatArray]:
        """Codes met together with any of `codes`, none of these among them, and how strongly: best first.

        The strength of a pair is the cosine of both items' likers as far as they are counted, with a shrink.
        """
        known = codes < len(self._others)
        codes, weights = codes[known], weights[known]
        others, shares = self._others[codes], self._cosines(codes)
        flat, strength = others.ravel(), (shares * weights[:, None]).ravel()
        told = (flat != NOBODY) & (strength > 0) & ~np.isin(flat, codes)
        found, place = np.unique(flat[told], return_inverse=True)
        total = np.bincount(place, strength[told], minlength=len(found)).astype(np.float32)
        order = np.argsort(-total, kind="stable")
        return found[order].astype(np.int64), total[order]

    def _cosines(self, codes: IntArray) -> FloatArray:
        """(n, width) strengths of the pairs of each code's row."""
        certain = self._counts[codes] - self._errors[codes]
        own = self._totals[codes][:, None]
        other = self._totals[np.maximum(self._others[codes], 0)]
        shrink = SHRINK * self._scale
        return (certain / np.sqrt((own + shrink) * (other + shrink))).astype(np.float32)

    def _count(self, rows: IntArray, columns: IntArray, counts: FloatArray) -> None:
        """One pair a row: into its own counter, or into the smallest one of the row."""
        own = self._others[rows] == columns[:, None]
        place = own.argmax(axis=1)
        new = np.flatnonzero(~own[np.arange(len(rows)), place])
        if len(new):
            place[new] = self._counts[rows[new]].argmin(axis=1)
            taken = rows[new], place[new]
            self._errors[taken] = self._counts[taken]
            self._others[taken] = columns[new]
        self._counts[rows, place] += counts

    def _age(self, n_events: int) -> None:
        self._scale *= 2.0 ** (n_events / HALF_LIFE_EVENTS)
        if self._scale > RESCALE_AT:
            for table in (self._counts, self._errors, self._totals):
                table /= np.float32(self._scale)
            self._scale = 1.0

    def _grow(self, n_items: int) -> None:
        more = n_items - len(self._others)
        if more <= 0:
            return
        more = max(more, len(self._others) // 2, 256)
        self._others = np.vstack([self._others, np.full((more, self._width), NOBODY, dtype=np.int32)])
        self._counts = np.vstack([self._counts, np.zeros((more, self._width), dtype=np.float32)])
        self._errors = np.vstack([self._errors, np.zeros((more, self._width), dtype=np.float32)])
        self._totals = np.concatenate([self._totals, np.zeros(more, dtype=np.float32)])


def _sum_pairs(ones: IntArray, others: IntArray, weights: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Both directions of every pair, the same ones added up: row, column and count, sorted by row."""
    rows, columns = np.concatenate([ones, others]), np.concatenate([others, ones])
    keys, place = np.unique(rows.astype(np.int64) << 32 | columns, return_inverse=True)
    counts = np.bincount(place, np.concatenate([weights, weights])).astype(np.float32)
    return keys >> 32, keys & 0xFFFFFFFF, counts
