"""Reasons for a slate: the plain ones always, the measured ones when the request asks for them."""

import asyncio
from collections.abc import Sequence

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import DoubleArray, Event, FloatArray, IntArray, Reason, Rung, Scores, SlateRequest
from app.errors import Overloaded
from app.explanation.reasons import LeaveOneOut, explain_slate
from app.interests.encoder import read_events
from app.interests.intent import Intent, rows_of
from app.interests.phrases import Phrasebook
from app.interests.profiles import Profiles
from app.scoring.scorer import Scorer

EVENTS_TRIED = 10  # newest events left out one at a time: ten encodes, some 10 ms each on one core


class Explainer:
    """Explains slates. Its answer never changes the ranking."""

    def __init__(self, profiles: Profiles, catalogue: LiveCatalogue, scorer: Scorer, phrasebook: Phrasebook) -> None:
        self._profiles = profiles
        self._catalogue = catalogue
        self._scorer = scorer
        self._phrasebook = phrasebook

    async def explain(
        self, request: SlateRequest, intent: Intent, vectors: FloatArray, scores: Scores
    ) -> tuple[list[tuple[Reason, ...]], tuple[str, ...]]:
        """Reasons of each place, and what had to be left out. vectors: (k, D + PRIOR_DIM), of the items there."""
        left_out: Sequence[LeaveOneOut] = ()
        degraded: tuple[str, ...] = ()
        if request.explain and intent.n_learned:
            try:
                left_out = await self._leave_one_out(request, intent, vectors)
            except Overloaded:
                degraded = ("evidence_not_measured",)
        sources = [intent.sources[winner] for winner in scores.interest]
        matches = self._matches(intent, scores.interest, vectors)
        return explain_slate(scores, np.arange(len(vectors)), sources, matches, request, left_out), degraded

    def _matches(self, intent: Intent, winners: IntArray, vectors: FloatArray) -> list[str | None]:
        """For each item the phrase that it and its winning row share; None for rows that no history gave."""
        learned = np.flatnonzero(winners < intent.n_learned)
        shared = self._phrasebook.shared(intent.interests, winners[learned], vectors[learned, : self._scorer.dim])
        matches: list[str | None] = [None] * len(winners)
        for place, phrases in zip(learned.tolist(), shared, strict=True):
            matches[place] = next(iter(phrases), None)
        return matches

    async def _leave_one_out(self, request: SlateRequest, intent: Intent, vectors: FloatArray) -> list[LeaveOneOut]:
        """What the chosen would score without each of the newest events. Empty for a history of one event.

        Raises Overloaded, also where the encoder was so when the interests were asked for: they are older than the
        history, and the difference between the two would be told as the effect of an event.
        """
        if intent.rung is Rung.STALE:
            raise Overloaded("the interests served are older than the history that would be left out from")
        reading, events = read_events(await self._profiles.events_of(request), self._catalogue)
        if reading is None or len(events) == 1:
            return []
        places = range(max(0, len(events) - EVENTS_TRIED), len(events))
        learned = await asyncio.gather(*(self._profiles.encode(reading.without(place)) for place in places))
        return [
            self._tell(events[place], self._score(rows_of(without, intent.spoken), request, intent, vectors))
            for place, without in zip(places, learned, strict=True)
        ]

    def _tell(self, event: Event, scores: DoubleArray) -> LeaveOneOut:
        slot = self._catalogue.find_slot(event.item_id)
        title = event.item_id if slot is None else self._catalogue.item_at(slot).title
        return LeaveOneOut(event.event_id, event.item_id, title, scores)

    def _score(self, interests: FloatArray, request: SlateRequest, intent: Intent, vectors: FloatArray) -> DoubleArray:
        query = self._scorer.query(interests, request.context, intent.last_event_at_s)
        return self._scorer.score(query, vectors).total
