"""The served index: FAISS over the bundle's items, a small exact part for items newer than it, and who is alive.

Every item has a *slot*: 0 to N - 1 are the bundle's rows, later ones are added at run time. FAISS crashes when an index
is added to while it is searched (measured: three runs of three), so the bundle's part keeps its size: removing an item
clears a bit, new items go into an array beside it, and the one column that does change is written in place.
"""

import asyncio
from typing import Any

import faiss
import numpy as np

from app.domain import BoolArray, FloatArray, IntArray

SCAN_SHARE = 0.02
"""Up to this share of the bundle's items allowed, a product with theirs alone beats FAISS with a selector.

Measured on one thread with 5 queries of 200 dimensions on 200,000 items: at 1% 0.9 ms against 2.9, at 0.1% 0.15 against
3.6; at 5% the two are even, and past it FAISS wins, since it copies nothing.
"""


OFF_LOOP_ABOVE = 20_000
"""Queries times slots from which on a search runs beside the event loop: 5 queries of 200 dimensions take 1 ms on 4,000
items, 4.5 ms on 20,000. The way to a thread and back takes 0.1 ms."""


class ItemIndex:
    """Inner-product search over slots. Belongs to one thread, the event loop's; `find` alone has others search."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._main: FloatArray = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(-1, index.d)
        self._delta = np.empty((64, index.d), dtype=np.float32)
        self._marks = np.zeros(index.ntotal, dtype=np.bool_)  # the bundle's rows wait to be told that they are served
        self._alive = self._marks

    @property
    def dim(self) -> int:
        return int(self._index.d)

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
        if self.n_slots == len(self._marks):
            self._marks = np.concatenate([self._marks, np.zeros(len(self._delta), dtype=np.bool_)])
        self._alive = self._marks[: self.n_slots + 1]
        self._alive[-1] = True
        return self.n_slots - 1

    def replace(self, slot: int, vector: FloatArray) -> None:
        """Give a slot that was added another vector, and life."""
        self._delta[slot - len(self._main)] = vector
        self._alive[slot] = True

    def rewrite_last(self, column: FloatArray) -> None:
        """column: (n_slots,) the new last number of every vector. A search under way sees some old and some new."""
        n = len(self._main)
        self._main[:, -1] = column[:n]
        self._delta[: len(column) - n, -1] = column[n:]

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

    def served(self, eligible: BoolArray | None = None) -> BoolArray:
        """(n_slots,) alive and eligible. eligible: as in `search`."""
        allowed = self._alive.copy()
        if eligible is not None:
            allowed[: len(eligible)] &= eligible
            allowed[len(eligible) :] = False
        return allowed

    def sample(self, n: int) -> IntArray:
        """Up to n alive slots, drawn evenly: the same as long as the same are alive."""
        alive = np.flatnonzero(self._alive)
        return alive if len(alive) <= n else np.random.default_rng(0).choice(alive, n, replace=False)

    def search(self, queries: FloatArray, n: int, eligible: BoolArray | None = None) -> list[IntArray]:
        """For each of the (Q, D) queries its up to n best alive slots, best first, all of them eligible.

        eligible: (S,) over the first S slots, later ones not being so; None: all are. Exact however few those are:
        less than n come back only where fewer are alive and eligible.
        """
        return self._search(queries, n, self.served(eligible), self._delta)

    async def find(self, queries: FloatArray, n: int, eligible: BoolArray | None = None) -> list[IntArray]:
        """As `search`, and never for long on the event loop. Of the catalogue as it is at the call."""
        told = queries, n, self.served(eligible), self._delta
        if len(queries) * self.n_slots <= OFF_LOOP_ABOVE:
            return self._search(*told)
        return await asyncio.to_thread(self._search_aside, *told)

    def _search_aside(self, *told: Any) -> list[IntArray]:
        faiss.omp_set_num_threads(1)  # counted by calling thread; a search that waits for cores takes longer, not less
        return self._search(*told)

    def _search(self, queries: FloatArray, n: int, allowed: BoolArray, delta: FloatArray) -> list[IntArray]:
        """allowed: (n_slots,), read no later. delta: grown meanwhile it is another array; a vector of it that is being
        replaced may be found by half of the old one, and is then scored by the new one."""
        scores, slots = self._search_main(queries, n, allowed[: len(self._main)])
        newer_scores, newer = self._search_newer(queries, n, allowed[len(self._main) :], delta)
        scores, slots = np.hstack([scores, newer_scores]), np.hstack([slots, newer])
        order = np.argsort(-scores, axis=1, kind="stable")[:, :n]
        best = np.take_along_axis(slots, order, axis=1)
        found = np.isfinite(np.take_along_axis(scores, order, axis=1))
        return [row[kept].astype(np.int64) for row, kept in zip(best, found, strict=True)]

    def _search_newer(
        self, queries: FloatArray, n: int, allowed: BoolArray, delta: FloatArray
    ) -> tuple[FloatArray, IntArray]:
        """(Q, m) scores and slots among those added, in any order: the n best, or all where few are allowed."""
        few = np.flatnonzero(allowed)
        if len(few) <= SCAN_SHARE * len(allowed):
            scores, slots = queries @ delta[few].T, np.broadcast_to(few, (len(queries), len(few)))
        else:  # all of them, copying nothing, then those that are not allowed out
            scores = queries @ delta[: len(allowed)].T
            scores[:, ~allowed] = -np.inf
            slots = np.broadcast_to(np.arange(len(allowed)), scores.shape)
        if scores.shape[1] > n:  # 50,000 sorted for each query take 20 ms, the n best set apart 2
            best = np.argpartition(-scores, n - 1, axis=1)[:, :n]
            scores, slots = np.take_along_axis(scores, best, axis=1), np.take_along_axis(slots, best, axis=1)
        return scores, len(self._main) + slots

    def _search_main(self, queries: FloatArray, n: int, allowed: BoolArray) -> tuple[FloatArray, IntArray]:
        """(Q, m) scores and slots among the bundle's, in any order: the n best, or all where few are allowed."""
        n_allowed = int(np.count_nonzero(allowed))
        if n_allowed <= SCAN_SHARE * len(allowed):
            few = np.flatnonzero(allowed)
            return queries @ self._main[few].T, np.broadcast_to(few, (len(queries), len(few)))
        parameters = None
        if n_allowed < len(allowed):
            bits = np.packbits(allowed, bitorder="little")
            parameters = faiss.SearchParameters()
            parameters.sel = selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))  # noqa: F841
        return self._index.search(queries, min(n, n_allowed), params=parameters)
