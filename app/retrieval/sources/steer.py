"""What the steering says by itself: a request's sentence and the user's edits, asked of the index without the taste.

Where somebody is steered far from all they did, the best of their steered taste may lie in between; this is what lies
at the end of it.
"""

import numpy as np

from app.domain import IntArray, Source
from app.retrieval.index import ItemIndex
from app.retrieval.sources.base import Ask
from app.scoring.scorer import Scorer


class SteerSource:
    name = Source.STEER

    def __init__(self, index: ItemIndex, scorer: Scorer) -> None:
        self._index = index
        self._scorer = scorer

    async def propose(self, ask: Ask, n: int) -> IntArray:
        steering = ask.intent.spoken.steering
        if steering is None:
            return np.empty(0, dtype=np.int64)
        return (await self._index.find(self._scorer.plain(steering.vector[None]), n, ask.eligible))[0]
