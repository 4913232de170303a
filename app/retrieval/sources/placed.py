"""What a placement itself puts forward: the items it pins, and those that somebody pays for."""

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import IntArray, Source
from app.filtering.masks import FilterMasks
from app.retrieval.sources.base import Ask
from app.retrieval.sources.rows import merge


class PinnedSource:
    name = Source.PINNED

    def __init__(self, catalogue: LiveCatalogue) -> None:
        self._catalogue = catalogue

    async def propose(self, ask: Ask, n: int) -> IntArray:
        return ask.first(self._catalogue.slots_of([pin.item_id for pin in ask.placement.pins]), n)


class SponsoredSource:
    """Of the items that are paid for, those that whoever asks would like best."""

    name = Source.SPONSORED

    def __init__(self, catalogue: LiveCatalogue, masks: FilterMasks) -> None:
        self._catalogue = catalogue
        self._masks = masks

    async def propose(self, ask: Ask, n: int) -> IntArray:
        if ask.placement.sponsored is None:
            return np.empty(0, dtype=np.int64)
        paid = await self._masks.mask(ask.placement.sponsored.filter, ask.request.context.at)
        eligible = self._catalogue.index.served(paid)[: len(ask.eligible)] & ask.eligible
        return merge(await self._catalogue.index.find(ask.query.gated, n, eligible))[:n]
