"""`POST /v1/recommendations` and `POST /v1/rank`: who asks for what."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app import domain
from app.api.schemas.fields import (
    NOT_BLANK,
    PRINTABLE,
    EventTime,
    EventType,
    EventValue,
    Identifier,
    Number,
    Time,
    WholeNumber,
    Wire,
)

FEATURE_NAME = "^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"
FEATURES = 32

FeatureName = Annotated[str, StringConstraints(pattern=FEATURE_NAME)]
FeatureValue = (
    Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=PRINTABLE)]
    | StrictBool
    | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    | Number
)


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


class ContextFeatures(BaseModel):
    """What is true of the request. Besides `at`, any feature the bundle was trained with: device, place, company."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={"propertyNames": {"pattern": FEATURE_NAME}, "maxProperties": FEATURES + 1},
    )
    __pydantic_extra__: dict[FeatureName, FeatureValue] = Field(init=False)

    at: Time | None = Field(None, description="The moment to recommend for. Without an offset: UTC. Default: now.")

    @model_validator(mode="after")
    def _refuse_too_many(self) -> "ContextFeatures":
        if len(self.__pydantic_extra__) > FEATURES:
            raise PydanticCustomError("too_many", "Object should have at most {most} features", {"most": FEATURES})
        return self

    def as_text(self) -> dict[str, str]:
        """Features as the bundle knows them: true and false in lower case, a whole number without its point."""
        return {name: _as_text(value) for name, value in self.__pydantic_extra__.items()}


class Asker(Wire):
    """Who asks: a stored user, events told here, words, any mix of them, or nobody (`{}`)."""

    user_id: Identifier | None = Field(None, description="A user whose events you send to /v1/events.")
    history: tuple[HistoryEvent, ...] = Field(
        (), max_length=512, description="Events of this request alone, oldest first, read after the stored ones."
    )
    words: Annotated[str, StringConstraints(max_length=1_000, pattern=NOT_BLANK)] | None = Field(
        None, description="A wish in plain language: 1 to 1,000 characters."
    )
    context: ContextFeatures | None = Field(None, description="What is true of the request. Default: now, no features.")
    explain: StrictBool = Field(
        False, description="Measure what each recent event contributed and give it as evidence. Slower."
    )

    def to_request(self, now: datetime, k: int) -> domain.SlateRequest:
        """now: the request's time where its context tells none."""
        context = self.context or ContextFeatures()
        at = context.at or now
        return domain.SlateRequest(
            context=domain.Context(at, context.as_text()),
            k=k,
            user_id=domain.UserId(self.user_id) if self.user_id is not None else None,
            history=_read_history(self.history, domain.UserId(self.user_id or ""), at),
            words=(self.words or "").strip(),
            explain=self.explain,
        )


class RecommendationRequest(Asker):
    """Who asks: a stored user, events told here, words, any mix of them, or nobody (`{}`), who gets what is popular."""

    k: WholeNumber = Field(20, ge=1, le=500, description="Length of the slate, in items: 1 to 500.")
    exclude: tuple[Identifier, ...] = Field(
        (), max_length=10_000, description="Item ids that must not appear: at most 10,000."
    )
    seen: domain.Seen = Field(
        domain.Seen.NEVER, description="Items the user already has an event on: never shown, or always allowed."
    )

    def to_domain(self, now: datetime) -> domain.SlateRequest:
        """now: the request's time where its context tells none."""
        return replace(
            self.to_request(now, self.k), exclude=frozenset(map(domain.ItemId, self.exclude)), seen=self.seen
        )


class RankRequest(Asker):
    """A list of your own, to be ordered for whoever asks. All of it comes back, what they have seen too."""

    items: tuple[Identifier, ...] = Field(
        min_length=1, max_length=500, description="Item ids, 1 to 500, each ranked once. Unknown ones are reported."
    )

    def item_ids(self) -> tuple[domain.ItemId, ...]:
        return tuple(map(domain.ItemId, self.items))


def _as_text(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


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
        )
        for place, event in enumerate(told)
    )
    return tuple(sorted(events, key=lambda event: event.at))
