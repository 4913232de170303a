"""`POST /v1/events`: what users did, what they were shown and looked for, and what became of it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from app import domain
from app.api.schemas.context import EventContext
from app.api.schemas.fields import (
    KIND,
    NOT_BLANK,
    PRINTABLE,
    Completion,
    DwellS,
    EventTime,
    EventType,
    EventValue,
    Identifier,
    Wire,
)
from app.history.observations import Observation
from app.history.weights import IMPRESSION, OBSERVED, SEARCH
from app.history.weights import EventType as KnownType

SlateId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]


def _refuse_observed(event_type: str) -> str:
    if event_type in OBSERVED:  # such an event has a shape of its own and does not come here
        raise PydanticCustomError("observed_type", "Input should be another type: this one has no item_id")
    return event_type


class EventIn(Wire):
    """What a user did with an item: a fact. Sent again with the same `event_id` it counts once."""

    event_id: Identifier = Field(description="Yours: unique for each event, the same in each retry of it.")
    user_id: Identifier = Field(description="Who. A user exists from their first event on.")
    item_id: Identifier = Field(description="The item. It need not be in the catalogue yet.")
    type: Annotated[
        EventType, AfterValidator(_refuse_observed), Field(json_schema_extra={"not": {"enum": sorted(OBSERVED)}})
    ]
    at: EventTime | None = Field(
        None, description="When. Without an offset: UTC. At most a day ahead. Default: when it is received."
    )
    value: EventValue = None
    slate_id: SlateId | None = Field(
        None, description="The slate it followed from, as answered: joins it to what was shown."
    )
    dwell_s: DwellS = None
    completion: Completion = None
    context: EventContext | None = Field(
        None,
        description="What was true when it happened, such as the device. Default: what the request of its slate told, "
        "as long as that is remembered.",
    )

    def to_domain(self, received_at: datetime) -> domain.Event:
        """received_at: the event's time where it tells none; its retry, received later, is then the same event."""
        return domain.Event(
            event_id=domain.EventId(self.event_id),
            user_id=domain.UserId(self.user_id),
            item_id=domain.ItemId(self.item_id),
            type=self.type,
            at=self.at or received_at,
            value=self.value,
            slate_id=self.slate_id,
            dwell_s=self.dwell_s,
            completion=self.completion,
            features=self.context.as_text() if self.context else {},
        )


class ImpressionIn(Wire):
    """What of a slate was on the screen. No history, and not seen unless a request asks for it to count so."""

    event_id: Identifier = Field(description="Yours: unique for each event, the same in each retry of it.")
    type: Literal["impression"] = Field(description="Says that this is an impression.")
    slate_id: SlateId = Field(description="The slate, as answered.")
    items: tuple[Identifier, ...] = Field(
        min_length=1, max_length=500, description="Item ids that were shown, 1 to 500, in the order of the screen."
    )
    user_id: Identifier | None = Field(None, description="Who saw it. Default: whoever the slate was for.")
    at: EventTime | None = Field(None, description="When. Without an offset: UTC. Default: when it is received.")

    def to_domain(self, received_at: datetime) -> Observation:
        return Observation(
            event_id=domain.EventId(self.event_id),
            user_id=None if self.user_id is None else domain.UserId(self.user_id),
            type=IMPRESSION,
            at=self.at or received_at,
            slate_id=self.slate_id,
            items=tuple(map(domain.ItemId, self.items)),
        )


class SearchIn(Wire):
    """What a user looked for. Kept beside the history."""

    event_id: Identifier = Field(description="Yours: unique for each event, the same in each retry of it.")
    type: Literal["search"] = Field(description="Says that this is a search.")
    user_id: Identifier = Field(description="Who.")
    words: Annotated[str, StringConstraints(max_length=1_000, pattern=NOT_BLANK)] = Field(
        description="What they typed: 1 to 1,000 characters."
    )
    slate_id: SlateId | None = Field(None, description="The slate that was answered, where it was one.")
    at: EventTime | None = Field(None, description="When. Without an offset: UTC. Default: when it is received.")

    def to_domain(self, received_at: datetime) -> Observation:
        return Observation(
            event_id=domain.EventId(self.event_id),
            user_id=domain.UserId(self.user_id),
            type=SEARCH,
            at=self.at or received_at,
            slate_id=self.slate_id,
            words=self.words,
        )


def _kind(told: Any) -> str:
    event_type = told.get("type") if isinstance(told, dict) else getattr(told, "type", None)
    return KIND + (event_type if isinstance(event_type, str) and event_type in OBSERVED else "event")


AnyEvent = Annotated[
    Annotated[EventIn, Tag(KIND + "event")]
    | Annotated[ImpressionIn, Tag(KIND + IMPRESSION)]
    | Annotated[SearchIn, Tag(KIND + SEARCH)],
    Discriminator(_kind),
]


class EventBatch(Wire):
    events: tuple[AnyEvent, ...] = Field(
        min_length=1, max_length=1_000, description="1 to 1,000 events, impressions and searches among them."
    )

    def to_domain(self, received_at: datetime) -> tuple[list[domain.Event], list[Observation]]:
        events = [told.to_domain(received_at) for told in self.events if isinstance(told, EventIn)]
        return events, [told.to_domain(received_at) for told in self.events if not isinstance(told, EventIn)]


class EventReceipt(Wire):
    """What became of the batch. Each event is in one of the three."""

    stored: int = Field(ge=0, description="Events that are on disk because of this call.")
    duplicates: int = Field(ge=0, description="Events that were stored before: retries, counted once.")
    conflicts: list[str] = Field(description="Ids that already stand for another event. Those events were refused.")
    off_scale: list[str] = Field(
        description="Ids of ratings whose `value` lies outside 0 to their type's `scale`. They count like the end that "
        "they are beyond, and are kept as told."
    )


class EventTypeAnswer(Wire):
    """A type of event and what it is worth here."""

    name: str = Field(description="As events name it; empty for `unknown`.")
    weight: float = Field(description="From -1, a refusal, to 1, the clearest liking. 0: kept beside the history.")
    full_weight: float | None = Field(
        description="Its weight for an item taken in whole, where `completion` or `dwell_s` count; null where not."
    )
    scale: float | None = Field(
        description="The `value` that weighs 1, of a type whose value is a rating; null where a value says nothing."
    )
    half_life_days: float | None = Field(
        description="Days after which it counts half in what everybody likes, and as a refusal; null: it never fades."
    )
    is_history: bool = Field(description="Whether it is read as history and makes its item seen.")
    is_refusal: bool = Field(
        description="Whether its item stays out of the user's slates from then on, until that has faded."
    )

    @classmethod
    def from_domain(cls, known: KnownType) -> "EventTypeAnswer":
        return cls(
            name=known.name,
            weight=known.weight,
            full_weight=known.full_weight,
            scale=known.scale,
            half_life_days=known.half_life_days,
            is_history=known.name not in OBSERVED,
            is_refusal=known.weight < 0,
        )


class EventTypesAnswer(Wire):
    types: list[EventTypeAnswer] = Field(description="Those with a weight of their own.")
    unknown: EventTypeAnswer = Field(description="What a type that is not in the list counts like.")
