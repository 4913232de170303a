"""What everybody has begun to like, and what is new: orders that the crowd keeps, the same for all who ask."""

from app.crowd.crowd import Crowd
from app.domain import IntArray, Source
from app.retrieval.sources.base import Ask


class TrendingSource:
    name = Source.TRENDING

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    async def propose(self, ask: Ask, n: int) -> IntArray:
        return ask.first(self._crowd.standings.trending, n)


class FreshSource:
    name = Source.FRESH

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    async def propose(self, ask: Ask, n: int) -> IntArray:
        return ask.first(self._crowd.standings.fresh, n)
