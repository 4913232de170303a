"""A placement told in the terms of one request: the request with its defaults, and rules over its candidates."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from app.domain import BoolArray, IntArray, Item, ItemId, SlateRequest
from app.placements.live import LivePlacements
from app.placements.placement import DEFAULT_K, Placement
from app.reranking.compose import Knobs
from app.reranking.rules import Cap, SlateRules, sponsored_places

NO_PLACEMENT = Placement("")


class Surfaces:
    """Finds the placement of a request. Raises UnknownPlacement."""

    def __init__(self, placements: LivePlacements) -> None:
        self._placements = placements

    async def read(self, request: SlateRequest) -> tuple[SlateRequest, Placement]:
        """The request with what it left to its placement, which the context tells of too."""
        if request.placement is None:
            return replace(request, k=request.k or DEFAULT_K), NO_PLACEMENT
        placement = await self._placements.find(request.placement)
        features = {"placement": placement.name, **request.context.features}
        context = replace(request.context, features=features)
        return replace(request, k=request.k or placement.k, context=context), placement


def knobs_of(request: SlateRequest, placement: Placement) -> Knobs:
    """The request's own where it tells them, the placement's otherwise."""
    own = {
        name: value for name in ("diversity", "novelty", "exploration") if (value := getattr(request, name)) is not None
    }
    return replace(placement.knobs, **own)


def rules_of(
    placement: Placement,
    positions: range,
    slots: IntArray,
    paid: BoolArray | None,
    item_at: Callable[[int], Item],
    find_slot: Callable[[ItemId], int | None],
) -> SlateRules:
    """positions: of the slate's places, from 1 on a first page. slots: those of the candidates. paid: (C,) those that
    are sponsored; None where nothing is.

    A pinned item that is no candidate leaves its place to others; one pinned twice stands at the higher place.
    """
    rules = SlateRules(pinned=_pins(placement, positions, slots, find_slot))
    if placement.caps or placement.max_per_category:
        rules = replace(rules, caps=_caps(placement, [item_at(slot) for slot in slots.tolist()]))
    if placement.sponsored is None:
        return rules
    return replace(rules, sponsored=paid, sponsored_places=sponsored_places(len(positions), placement.sponsored.share))


def _pins(
    placement: Placement, positions: range, slots: IntArray, find_slot: Callable[[ItemId], int | None]
) -> dict[int, int]:
    """Place to candidate."""
    if not placement.pins:
        return {}
    place_of = {slot: candidate for candidate, slot in enumerate(slots.tolist())}
    pinned: dict[int, int] = {}
    for pin in sorted(placement.pins, key=lambda pin: pin.position):
        slot = find_slot(pin.item_id)
        if pin.position in positions and slot in place_of and place_of[slot] not in pinned.values():
            pinned[pin.position - positions.start] = place_of[slot]
    return pinned


def _caps(placement: Placement, items: Sequence[Item]) -> list[Cap]:
    """Caps that some candidates could break; the tighter one where a category has two."""
    at_most = dict.fromkeys((c for item in items for c in item.categories), placement.max_per_category)
    at_most |= {cap.category: min(cap.at_most, at_most.get(cap.category) or cap.at_most) for cap in placement.caps}
    members: dict[str, BoolArray] = {}
    for place, item in enumerate(items):
        for category in item.categories:
            if at_most[category] is not None:
                members.setdefault(category, np.zeros(len(items), dtype=np.bool_))[place] = True
    return [
        Cap(those, limit)
        for category, those in members.items()
        if (limit := at_most[category]) is not None and np.count_nonzero(those) > limit
    ]
