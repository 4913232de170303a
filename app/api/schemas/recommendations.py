"""`POST /v1/recommendations` and `POST /v1/rank`: who asks for what."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints

from app import domain
from app.api.schemas.context import ContextFeatures
from app.api.schemas.fields import (
    NOT_BLANK,
    BudgetMs,
    Completion,
    DwellS,
    EventTime,
    EventType,
    EventValue,
    FilterText,
    Identifier,
    Length,
    Number,
    PropertyName,
    Wire,
)
from app.api.schemas.items import ItemIn
from app.api.schemas.placements import PlacementName, Share


class HistoryEvent(Wire):
    """Something the asker did, told in the request: read for this slate, never stored."""

    item_id: Identifier = Field(description="The item. An unknown one is skipped and named in the answer.")
    type: EventType
    at: EventTime | None = Field(
        None,
        description="When. Without an offset: UTC. At most a day ahead. Default: just before the request's time, in "
        "the order given.",
    )
    value: EventValue = None
    dwell_s: DwellS = None
    completion: Completion = None


class Asker(Wire):
    """Who asks: a stored user, events told here, words, any mix of them, or nobody (`{}`)."""

    user_id: Identifier | None = Field(None, description="A user whose events you send to /v1/events.")
    history: tuple[HistoryEvent, ...] = Field(
        (), max_length=512, description="Events of this request alone, oldest first, read after the stored ones."
    )
    words: Annotated[str, StringConstraints(max_length=1_000, pattern=NOT_BLANK)] | None = Field(
        None, description="A wish in plain language: 1 to 1,000 characters."
    )
    session_id: Identifier | None = Field(
        None, description="Of a visit: keeps somebody without a user_id in one arm of an experiment."
    )
    steer: Annotated[str, StringConstraints(max_length=1_000, pattern=NOT_BLANK)] | None = Field(
        None,
        description='A sentence blended into the taste, 1 to 1,000 characters: "shorter, less crime". Clauses with '
        "less, no, without, not, avoid, or a minus sign before the word, bury; the others pull.",
    )
    steer_weight: Number = Field(
        0.5, ge=0, le=1, description="How much `steer` counts beside the taste: 0 not at all, 1 it alone."
    )
    context: ContextFeatures | None = Field(None, description="What is true of the request. Default: now, no features.")
    explain: StrictBool = Field(
        False, description="Measure what each recent event contributed and give it as evidence. Slower."
    )

    profiling: domain.Profiling = Field(
        domain.Profiling.FULL,
        description='What may be known of the user. "full": what is stored and what is told. "session": what this '
        'request tells alone; `user_id` is not looked at. "none": nothing; `user_id` and `history` are not looked at, '
        "words and context are. What is not looked at is not kept with the slate either.",
    )
    deadline_ms: BudgetMs | None = Field(
        None,
        description="Milliseconds for the whole answer, 1 to 60,000. What would take longer is left out, down the "
        "ladder, and `served_by.degraded` says so. Default: the server's own limits for each stage.",
    )
    return_properties: Annotated[tuple[PropertyName, ...], Field(max_length=100)] | None = Field(
        None,
        description="Names of the properties to answer with, `title` and `categories` among them; [] for none. What "
        "an item does not have is left out. Default: all.",
    )

    def to_request(self, now: datetime, k: int) -> domain.SlateRequest:
        """now: the request's time where its context tells none. Holds nothing that profiling forbids to know."""
        context = self.context or ContextFeatures()
        at = context.at or now
        asked = domain.SlateRequest(
            context=domain.Context(at, context.as_text()),
            k=k,
            user_id=domain.UserId(self.user_id) if self.user_id is not None else None,
            history=_read_history(self.history, domain.UserId(self.user_id or ""), at),
            words=(self.words or "").strip(),
            session_id=self.session_id,
            steer=(self.steer or "").strip(),
            steer_weight=float(self.steer_weight),
            explain=self.explain,
            deadline_ms=self.deadline_ms,
            return_properties=self.return_properties,
        )
        return asked.with_profiling(self.profiling)


class SeenSince(Wire):
    """Only what was met lately, or in certain ways, stays away."""

    within_s: Annotated[Number, Field(gt=0, le=3_153_600_000)] | None = Field(
        None, description="Events at most so many seconds old, counted from the request's time. Default: of any age."
    )
    types: Annotated[tuple[EventType, ...], Field(min_length=1, max_length=32)] | None = Field(
        None,
        description="Events of these types, 1 to 32; `impression` counts what was on the screen. Default: of any type, "
        "impressions aside.",
    )

    def to_domain(self) -> domain.SeenWindow:
        return domain.SeenWindow(self.within_s, None if self.types is None else frozenset(self.types))


class BoostIn(Wire):
    """Raise or lower the items that a filter holds for."""

    filter: FilterText
    factor: Number = Field(
        1.0,
        ge=0.01,
        le=100,
        description="Multiplies a score above zero and divides one below, so that 2 raises and 0.5 lowers any item: "
        "0.01 to 100. Factors of several boosts multiply.",
    )
    add: Number = Field(
        0.0,
        ge=-1_000,
        le=1_000,
        description="Added to the score after the factors: -1,000 to 1,000. Most scores lie between -20 and 20.",
    )

    def to_domain(self) -> domain.Boost:
        return domain.Boost(self.filter, self.factor, self.add)


class SlateWish(Asker):
    """Who asks: a stored user, events told here, words, any mix of them, or nobody (`{}`), who gets what is popular."""

    k: Length | None = Field(
        None, description="Length of the slate, in items: 1 to 500. Default: the placement's, else 20."
    )
    placement: PlacementName | None = Field(
        None,
        description="The surface it is for, as put to /v1/placements: its rules hold where this request tells none.",
    )
    diversity: Share | None = Field(
        None,
        description="How unlike each other the items are to be, 0 (by score) to 1. Default: the placement's, else 0.",
    )
    novelty: Share | None = Field(
        None, description="How little known they are to be, 0 (by score) to 1. Default: the placement's, else 0."
    )
    exploration: Share | None = Field(
        None,
        description="Probability, 0 to 1, that a place goes to an item from just below the slate; `propensity` then "
        "says how likely each item was. Default: the placement's, else 0.",
    )
    exclude: tuple[Identifier, ...] = Field(
        (), max_length=10_000, description="Item ids that must not appear: at most 10,000."
    )
    seen: domain.Seen | SeenSince = Field(
        domain.Seen.NEVER,
        description="Items the user already has an event on: never shown, always allowed, or not shown for a while "
        "after events of some types.",
    )
    filter: FilterText | None = Field(None, description="Only items that this holds for. Default: all.")
    boost: tuple[BoostIn, ...] = Field(
        (), max_length=8, description="Rules that raise or lower items, at most 8. What they add is the part `rules`."
    )

    min_relevance: Annotated[Number, Field(ge=0, le=1)] | None = Field(
        None,
        description="Leave out what is less relevant, even if fewer than k are left: 0 is a middling item of the "
        "catalogue for this request, 1 the best one, boosts not counted. Default: no floor.",
    )

    def to_domain(self, now: datetime) -> domain.SlateRequest:
        """now: the request's time where its context tells none."""
        return replace(
            self.to_request(now, self.k or 0),
            exclude=frozenset(map(domain.ItemId, self.exclude)),
            seen=self.seen.to_domain() if isinstance(self.seen, SeenSince) else self.seen,
            filter=self.filter or "",
            min_relevance=self.min_relevance,
            boosts=tuple(boost.to_domain() for boost in self.boost),
            placement=self.placement,
            diversity=self.diversity,
            novelty=self.novelty,
            exploration=self.exploration,
        )


class RecommendationRequest(SlateWish):
    """Who asks: a stored user, events told here, words, any mix of them, or nobody (`{}`), who gets what is popular."""

    validate_only: StrictBool = Field(
        False, description="Read and check all of the request, tell what it would come to, and do nothing."
    )


class BatchRequest(Wire):
    """The slates of one page."""

    requests: tuple[SlateWish, ...] = Field(
        min_length=1, max_length=20, description="1 to 20 requests, the one that chooses first in front."
    )


class ItemTold(ItemIn):
    """An item told on the spot: it need not be in the catalogue, and is known by its text alone."""

    item_id: Identifier | None = Field(
        None, description="Comes back with it. Default: its place in the list, such as `items[3]`, from 0."
    )


class RankRequest(Asker):
    """A list of your own, to be ordered for whoever asks. All of it comes back, what they have seen too."""

    items: tuple[Identifier | ItemTold, ...] = Field(
        min_length=1,
        max_length=500,
        description="Item ids, or items told here with their text; 1 to 500, each ranked once. Ids that the catalogue "
        "does not hold are reported. An item told costs an encode of some 5 ms on one core the first time.",
    )

    def listed(self) -> tuple[domain.ItemId | domain.Item, ...]:
        return tuple(
            domain.ItemId(item) if isinstance(item, str) else item.to_domain(item.item_id or f"items[{place}]")
            for place, item in enumerate(self.items)
        )


def _read_history(told: tuple[HistoryEvent, ...], user_id: domain.UserId, at: datetime) -> tuple[domain.Event, ...]:
    """Oldest first. Events told no time get the last milliseconds before the request's, in the order given."""
    events = (
        domain.Event(
            event_id=domain.EventId(f"history[{place}]"),
            user_id=user_id,
            item_id=domain.ItemId(event.item_id),
            type=event.type,
            at=event.at or at - timedelta(milliseconds=len(told) - place),
            value=event.value,
            dwell_s=event.dwell_s,
            completion=event.completion,
        )
        for place, event in enumerate(told)
    )
    return tuple(sorted(events, key=lambda event: event.at))
