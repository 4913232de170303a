"""Scored candidates to a slate, as the request and its placement want it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import BoolArray, Candidates, IntArray, Scores, SlateRequest
from app.filtering.masks import FilterMasks
from app.placements.placement import Placement
from app.placements.surface import knobs_of, rules_of
from app.reranking.compose import Composed, compose_slate
from app.reranking.plugins import Rule
from app.reranking.rules import SlateRules
from app.scoring.prior import bucket_of
from models.space import Shape

OFF_LOOP_ABOVE = 40 * 1_000
"""Places times candidates from which on a slate is composed in a thread: 20 places of 600 candidates take 0.8 ms."""


class Composer:
    """Composes slates; each draws its own chances."""

    def __init__(
        self,
        catalogue: LiveCatalogue,
        masks: FilterMasks,
        shape: Shape,
        rng: np.random.Generator | None = None,
        plugged_in: Sequence[Rule] = (),
    ) -> None:
        """shape: tells the blocks of an index vector: text, ID, prior. rng: for tests. plugged_in: rules of other
        packages, for every slate."""
        self._plugged_in = plugged_in
        self._catalogue = catalogue
        self._masks = masks
        self._text_dim = shape.block_dim
        self._item_dim = shape.dim
        self._rng = rng or np.random.default_rng()

    async def compose(
        self,
        request: SlateRequest,
        placement: Placement,
        candidates: Candidates,
        scores: Scores,
        first_position: int = 1,
    ) -> Composed:
        """first_position: of the slate's first place, where pages came before it.

        How alike two items are is read off their text blocks alone. Behaviour puts the best candidates of one user
        close together whatever they are, so that whole item vectors lose more and vary less (docs/decisions/0025).
        """
        vectors = self._catalogue.index.gather(candidates.slots)
        rules = rules_of(
            placement,
            range(first_position, first_position + request.k),
            candidates.slots,
            await self._paid(request, placement, candidates.slots),
            self._catalogue.item_at,
            self._catalogue.find_slot,
        )
        compose = partial(
            compose_slate,
            scores.total,
            vectors[:, : self._text_dim],
            request.k,
            knobs_of(request, placement),
            popularity=vectors[:, self._item_dim + bucket_of(request.context.at)],
            rules=self._add_plugged_in(request, candidates.slots, rules),
            rng=self._rng,
        )
        if request.k * len(candidates.slots) > OFF_LOOP_ABOVE:
            return await asyncio.to_thread(compose)
        return compose()

    async def _paid(self, request: SlateRequest, placement: Placement, slots: IntArray) -> BoolArray | None:
        """(C,) candidates that are sponsored; None where the placement sells no place."""
        if placement.sponsored is None:
            return None
        mask = await self._masks.mask(placement.sponsored.filter, request.context.at)
        known = slots < len(mask)
        return known & mask[np.where(known, slots, 0)]

    def _add_plugged_in(self, request: SlateRequest, slots: IntArray, rules: SlateRules) -> SlateRules:
        if not self._plugged_in:
            return rules
        items = [self._catalogue.item_at(slot) for slot in slots.tolist()]
        return replace(rules, caps=[*rules.caps, *(cap for rule in self._plugged_in for cap in rule(request, items))])
