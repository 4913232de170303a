"""The rows of an intent put to the index: what the learned interests ask for, and what the words do."""

from collections.abc import Sequence

import numpy as np

from app.domain import IntArray, Source
from app.retrieval.index import ItemIndex
from app.retrieval.sources.base import Ask


class RowSource:
    """Up to n items of each of the intent's rows that came from `name`: the best of every interest by itself."""

    def __init__(self, name: Source, index: ItemIndex) -> None:
        self.name = name
        self._index = index

    async def propose(self, ask: Ask, n: int) -> IntArray:
        rows = [row for row, source in enumerate(ask.intent.sources) if source is self.name]
        if not rows:
            return np.empty(0, dtype=np.int64)
        return merge(await self._index.find(ask.query.gated[rows], n, ask.eligible))


def merge(found: Sequence[IntArray]) -> IntArray:
    """Each slot once, those that stand higher in any list first."""
    place = np.concatenate([np.arange(len(each)) for each in found])
    slots = np.concatenate(found)[np.argsort(place, kind="stable")]
    _, first = np.unique(slots, return_index=True)
    return slots[np.sort(first)].astype(np.int64)
