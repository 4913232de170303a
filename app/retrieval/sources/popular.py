"""What is popular in this part of the week: the prior alone, asked of the index like any query."""

import numpy as np

from app.domain import IntArray, Source
from app.retrieval.index import ItemIndex
from app.retrieval.sources.base import Ask
from app.scoring.scorer import Scorer


class PopularSource:
    name = Source.POPULAR

    def __init__(self, index: ItemIndex, scorer: Scorer) -> None:
        self._index = index
        self._scorer = scorer

    async def propose(self, ask: Ask, n: int) -> IntArray:
        nobody = np.empty((0, self._scorer.dim), dtype=np.float32)
        query = self._scorer.query(nobody, ask.request.context, None)
        return (await self._index.find(query.gated, n, ask.eligible))[0]
