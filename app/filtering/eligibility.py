"""Which items may appear for one request: what the caller excludes and what the user has met are taken out."""

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import BoolArray, ItemId, Seen, SlateRequest
from app.history.store import HistoryStore
from app.history.weights import is_refusal


class Eligibility:
    """Reads the mask of a request. Deleted items are the index's own affair: no source proposes them."""

    def __init__(self, histories: HistoryStore, catalogue: LiveCatalogue) -> None:
        self._histories = histories
        self._catalogue = catalogue

    async def read(self, request: SlateRequest) -> BoolArray | None:
        """(n_slots,) True where the item may appear; None where all may. A slot newer than the mask may not."""
        taken_out = request.exclude | await self._refused(request) | await self._seen(request)
        slots = [slot for item_id in taken_out if (slot := self._catalogue.find_slot(item_id)) is not None]
        if not slots:
            return None
        eligible = np.ones(self._catalogue.index.n_slots, dtype=np.bool_)
        eligible[slots] = False
        return eligible

    async def _seen(self, request: SlateRequest) -> frozenset[ItemId]:
        """Items that the user has an event on, unless they may come again."""
        if request.seen is Seen.ALWAYS:
            return frozenset()
        told = frozenset(event.item_id for event in request.history)
        return told if request.user_id is None else told | await self._histories.seen(request.user_id)

    async def _refused(self, request: SlateRequest) -> frozenset[ItemId]:
        """Items that the user has hidden or disliked: those never come again, whatever may of the others."""
        told = frozenset(event.item_id for event in request.history if is_refusal(event.type))
        return told if request.user_id is None else told | await self._histories.refused(request.user_id)
