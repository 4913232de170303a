"""Which items may appear for one request: those its filter holds for, but for what it excludes, what the user has met
and what they never want.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import BoolArray, Event, InterestEdit, ItemId, Seen, SeenWindow, SlateRequest
from app.filtering.masks import FilterMasks
from app.history.store import HistoryStore
from app.history.weights import IMPRESSION, holds_refusal
from app.interests.never import NeverFilter


class Eligibility:
    """Reads the mask of a request. Deleted items are the index's own affair: no source proposes them."""

    def __init__(
        self, histories: HistoryStore, catalogue: LiveCatalogue, masks: FilterMasks, never: NeverFilter
    ) -> None:
        self._histories = histories
        self._catalogue = catalogue
        self._masks = masks
        self._never = never

    async def read(
        self, request: SlateRequest, edits: Sequence[InterestEdit] = (), placement_filter: str = ""
    ) -> BoolArray | None:
        """(n_slots,) True where the item may appear; None where all may. A slot newer than the mask may not.

        edits: the user's own, whose `never` counts here. placement_filter: must hold as well as the request's own; ""
        for none. Raises InvalidFilter.
        """
        taken_out = request.exclude | await self._refused(request) | await self._seen(request)
        mask = await self._filtered(request, placement_filter)
        slots = [slot for item_id in taken_out if (slot := self._catalogue.find_slot(item_id)) is not None]
        never = await self._never.removed(edits)
        if not slots and not len(never):
            return mask
        eligible = np.ones(self._catalogue.index.n_slots, dtype=np.bool_) if mask is None else mask.copy()
        eligible[[slot for slot in slots if slot < len(eligible)]] = False
        eligible[never[never < len(eligible)]] = False
        return eligible

    async def _filtered(self, request: SlateRequest, placement_filter: str) -> BoolArray | None:
        """(n,) where both filters hold; None where there is none."""
        texts = [text for text in (request.filter, placement_filter) if text]
        masks = [await self._masks.mask(text, request.context.at) for text in texts]
        if len(masks) < 2:
            return masks[0] if masks else None
        shortest = min(len(mask) for mask in masks)  # items may have come between the two
        both: BoolArray = masks[0][:shortest] & masks[1][:shortest]
        return both

    async def _seen(self, request: SlateRequest) -> frozenset[ItemId]:
        """Items that an event of the user keeps from coming again; an impression does where the request names it."""
        if request.seen is Seen.ALWAYS:
            return frozenset()
        window = request.seen if isinstance(request.seen, SeenWindow) else SeenWindow()
        told = frozenset(event.item_id for event in request.history if _counts(event, window, request))
        if request.user_id is None:
            return told
        after = None if window.within_s is None else request.context.at - timedelta(seconds=window.within_s)
        if window.types is not None and IMPRESSION in window.types:
            told |= await self._histories.shown(request.user_id, since=after)
        return told | await self._histories.seen(request.user_id, after=after, types=window.types)

    async def _refused(self, request: SlateRequest) -> frozenset[ItemId]:
        """Items that the user has hidden or disliked: those never come again, whatever may of the others."""
        at = request.context.at
        told = frozenset(e.item_id for e in request.history if holds_refusal(e.type, (at - e.at).total_seconds()))
        return told if request.user_id is None else told | await self._histories.refused(request.user_id, at)


def _counts(event: Event, window: SeenWindow, request: SlateRequest) -> bool:
    """Whether an event told in the request falls into the window."""
    age_s = (request.context.at - event.at).total_seconds()
    of_type = window.types is None or event.type in window.types
    return of_type and (window.within_s is None or age_s <= window.within_s)
