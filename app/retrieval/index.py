"""The served index: FAISS over the bundle's items, a small exact part for items newer than it, and who is alive.

Every item has a *slot*: 0 to N - 1 are the bundle's rows, later ones are added at run time. FAISS crashes when an index
is added to while it is searched (measured: three runs of three), so the bundle's part never changes: removing an item
clears a bit, and new items go into an array beside it.
"""

from typing import Any

import faiss
import numpy as np

from app.domain import FloatArray, IntArray


class ItemIndex:
    """Inner-product search over slots. Used from one thread, the event loop's."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._main: FloatArray = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(-1, index.d)
        self._delta = np.empty((64, index.d), dtype=np.float32)
        self._alive = np.zeros(index.ntotal, dtype=np.bool_)  # the bundle's rows wait to be told that they are served

    @property
    def n_slots(self) -> int:
        return len(self._alive)

    @property
    def n_alive(self) -> int:
        return int(self._alive.sum())

    def is_alive(self, slot: int) -> bool:
        return bool(self._alive[slot])

    def add(self, vector: FloatArray) -> int:
        """Give a vector (D,) a slot of its own, alive."""
        place = self.n_slots - len(self._main)
        if place == len(self._delta):
            self._delta = np.concatenate([self._delta, np.empty_like(self._delta)])
        self._delta[place] = vector
        self._alive = np.append(self._alive, np.True_)
        return self.n_slots - 1

    def revive(self, slot: int) -> None:
        self._alive[slot] = True

    def remove(self, slot: int) -> None:
        self._alive[slot] = False

    def gather(self, slots: IntArray) -> FloatArray:
        """(C, D) vectors of slots, dead ones too."""
        newer = slots >= len(self._main)
        vectors = self._main[np.where(newer, 0, slots)]
        vectors[newer] = self._delta[slots[newer] - len(self._main)]
        return vectors

    def search(self, queries: FloatArray, n: int, excluded: IntArray) -> list[IntArray]:
        """For each of the (Q, D) queries its up to n best alive slots, best first, none of them in `excluded`.

        Exact. Fewer than n come back only when fewer are alive and not excluded.
        """
        allowed = self._alive.copy()
        allowed[excluded] = False
        main_scores, main_slots = self._search_main(queries, min(n, len(self._main)), allowed[: len(self._main)])
        newer = self._delta[: self.n_slots - len(self._main)]
        newer_scores = np.where(allowed[len(self._main) :], queries @ newer.T, -np.inf)
        scores = np.hstack([main_scores, newer_scores])
        slots = np.hstack([main_slots, np.broadcast_to(np.arange(len(self._main), self.n_slots), newer_scores.shape)])
        order = np.argsort(-scores, axis=1, kind="stable")[:, :n]
        best = np.take_along_axis(slots, order, axis=1)
        found = np.isfinite(np.take_along_axis(scores, order, axis=1))
        return [row[kept].astype(np.int64) for row, kept in zip(best, found, strict=True)]

    def _search_main(self, queries: FloatArray, n: int, allowed: np.ndarray) -> tuple[FloatArray, IntArray]:
        if n == 0:
            return np.empty((len(queries), 0), dtype=np.float32), np.empty((len(queries), 0), dtype=np.int64)
        bits = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        parameters = faiss.SearchParameters()
        parameters.sel = selector
        scores, slots = self._index.search(queries, n, params=parameters)
        return np.where(slots >= 0, scores, -np.inf), slots  # FAISS pads with row -1 where too few are allowed
