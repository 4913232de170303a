"""A served slate brought back: its request, the events as they were, and everything that competed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import BoolArray, Context, Event, FloatArray, InterestEdit, ItemId, SlateRequest
from app.errors import UnknownPlacement
from app.explanation.ranking import Field, Standing
from app.filtering.eligibility import Eligibility
from app.filtering.masks import FilterMasks
from app.history.store import HistoryStore
from app.interests.encoder import read_events
from app.interests.intent import rows_of
from app.interests.profiles import Profiles
from app.interests.spoken import Spoken, SpokenReader
from app.placements.placement import Placement
from app.placements.surface import NO_PLACEMENT, Surfaces
from app.scoring.rules import Rules
from app.scoring.scorer import Query, Scorer
from app.slates.asked import request_from_json
from app.slates.record import SlateRecord

EVENTS_TRIED = 10  # newest events left out one at a time: ten encodes, some 10 ms each on one core


@dataclass(frozen=True, slots=True)
class Situation:
    """What an explanation asks its questions of. learned: (L, D). events: those read, oldest first.

    without: place of an event to the (L, D) rows read without it, for the newest events; empty where nothing can be
    left out. allowed: what may appear by the rules of now; None where all may.
    """

    record: SlateRecord
    request: SlateRequest
    events: tuple[Event, ...]
    learned: FloatArray
    without: dict[int, FloatArray]
    spoken: Spoken
    field: Field
    allowed: BoolArray | None
    last_event_at_s: int | None

    @property
    def rows(self) -> FloatArray:
        return rows_of(self.learned, self.spoken)


class SituationReader:
    """Brings slates back."""

    def __init__(
        self,
        histories: HistoryStore,
        profiles: Profiles,
        spoken: SpokenReader,
        eligibility: Eligibility,
        masks: FilterMasks,
        catalogue: LiveCatalogue,
        scorer: Scorer,
        surfaces: Surfaces,
        *,
        history_events: int,
    ) -> None:
        self._histories = histories
        self._profiles = profiles
        self._spoken = spoken
        self._eligibility = eligibility
        self._masks = masks
        self._catalogue = catalogue
        self._scorer = scorer
        self._surfaces = surfaces
        self._history_events = history_events

    async def read(self, record: SlateRecord) -> Situation:
        """As of the moment the slate was served, as far as events tell; edits, placements and items are those of now.

        Raises Overloaded, ValueError for a record whose request this program did not write.
        """
        request = request_from_json(record.request)
        reading, events = read_events(await self._events(record, request), self._catalogue)
        learned, without = np.empty((0, self._scorer.dim), dtype=np.float32), {}
        if reading is not None:
            places = range(max(0, len(events) - EVENTS_TRIED), len(events)) if len(events) > 1 else range(0)
            readings = [reading, *(reading.without(place) for place in places)]
            learned, *others = await asyncio.gather(*map(self._profiles.encode, readings))
            without = dict(zip(places, others, strict=True))
        spoken = await self._spoken.read(request, learned)
        allowed = await self.allowed(request, spoken.edits)
        return Situation(
            record=record,
            request=request,
            events=events,
            learned=learned,
            without=without,
            spoken=spoken,
            field=self._field(
                record,
                allowed,
                await self._met_since(record, events),
                await self._masks.rules(request.boosts, request.context.at),
            ),
            allowed=allowed,
            last_event_at_s=int(events[-1].at.timestamp()) if len(learned) else None,
        )

    async def allowed(self, request: SlateRequest, edits: Sequence[InterestEdit] = ()) -> BoolArray | None:
        """(n_slots,) what may appear by the rules of now; None where all may."""
        return await self._eligibility.read(request, edits, (await self._placement(request)).filter)

    async def respoken(self, situation: Situation, steer: str, weight: float) -> FloatArray:
        """The rows as they were, had the request been steered by this."""
        spoken = await self._spoken.read(
            replace(situation.request, steer=steer, steer_weight=weight), situation.learned
        )
        return rows_of(situation.learned, spoken)

    def query(self, situation: Situation, rows: FloatArray, context: Context | None = None) -> Query:
        return self._scorer.query(rows, context or situation.request.context, situation.last_event_at_s)

    def stand(self, situation: Situation, slot: int, rows: FloatArray, context: Context | None = None) -> Standing:
        """Where an item stands for these rows. Milliseconds: not for the event loop."""
        return situation.field.stand(self.query(situation, rows, context).gated, slot)

    async def _placement(self, request: SlateRequest) -> Placement:
        """As it is now; none where it has been deleted since."""
        try:
            return (await self._surfaces.read(request))[1]
        except UnknownPlacement:
            return NO_PLACEMENT

    async def _events(self, record: SlateRecord, request: SlateRequest) -> Sequence[Event]:
        """The user's last events up to the slate, then those told with the request."""
        stored: tuple[Event, ...] = ()
        if request.user_id is not None:
            just_after = record.served_at + timedelta(microseconds=1)
            stored = (await self._histories.last(request.user_id, self._history_events, before=just_after)).events
        told = tuple(event for event in request.history if self._catalogue.is_served(event.item_id))
        return (*stored, *told)[-self._history_events :]

    async def _met_since(self, record: SlateRecord, events: Sequence[Event]) -> set[ItemId]:
        """Items that the user met after the slate and not before it, as far as the last events tell."""
        if record.user_id is None:
            return set()
        newest = (await self._histories.last(record.user_id, self._history_events)).events
        before = {event.item_id for event in events}
        return {event.item_id for event in newest if event.at > record.served_at and event.item_id not in before}

    def _field(self, record: SlateRecord, allowed: BoolArray | None, met_since: set[ItemId], rules: Rules) -> Field:
        """What was shown was allowed to be, and so was what is seen only since."""
        index = self._catalogue.index
        slots = np.arange(index.n_slots)
        eligible = np.array([index.is_alive(int(slot)) for slot in slots], dtype=np.bool_)
        if allowed is not None:
            eligible[: len(allowed)] &= allowed
            eligible[len(allowed) :] = False
        allowed_then = {item.item_id for item in record.items} | met_since
        eligible[[slot for item_id in allowed_then if (slot := self._catalogue.find_slot(item_id)) is not None]] = True
        return Field(index.gather(slots), eligible, rules)
