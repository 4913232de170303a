"""What the wire's shapes are made of: ids, words, numbers and times, each with its bounds."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from unicodedata import normalize

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from app.errors import InvalidFilter
from app.filtering.expression import MAX_LENGTH, parse_filter

CONTROL = r"\x00-\x1f\x7f-\x9f"
PRINTABLE = f"^[^{CONTROL}]+$"
NOT_BLANK = r"[^\s\x1c-\x1f\x85\ufeff]"
"""Something besides white space. The characters named are white space to some who read patterns, and not to others."""
KIND = "kind:"
"""Begins the tags of a union whose branches a field tells apart: they are in an error's place, and not in the body."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""How far in the future an event may lie: clocks differ, and so do ideas of where midnight is."""


class Wire(BaseModel):
    """A JSON object. A field that is not declared is refused, since it is most often a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _to_nfc(text: str) -> str:
    return normalize("NFC", text)


def _refuse_other_forms(told: object) -> object:
    """Numbers and bare dates would be guessed at: are they seconds or milliseconds, and midnight of where?"""
    if isinstance(told, datetime) or (isinstance(told, str) and told[4:5] == "-" and told[10:11] in ("T", "t", " ")):
        return told
    raise PydanticCustomError("time_form", "Input should be a date and time like 2025-06-01T20:30:00Z")


def _to_utc(at: datetime) -> datetime:
    """The year is looked at first: near the ends of the calendar the conversion itself would overflow."""
    if not EARLIEST.year <= at.year < LATEST.year:
        raise PydanticCustomError("time_range", "Input should lie from 1970 to 2099")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _refuse_future(at: datetime) -> datetime:
    if at > datetime.now(UTC) + AHEAD:
        raise PydanticCustomError("time_ahead", "Input should lie no more than a day ahead of the server's clock")
    return at


def _refuse_unreadable(text: str) -> str:
    try:
        parse_filter(text)
    except InvalidFilter as error:
        told = {"position": error.position, "excerpt": error.excerpt, "expected": error.expected}
        raise PydanticCustomError(INVALID_FILTER, "{message}", {"message": str(error), **told}) from None
    return text


def take_whole(number: object) -> object:
    """20.0 is a whole number in JSON, and some clients write no other."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=PRINTABLE), AfterValidator(_to_nfc)]
"""A client's id: 1 to 256 characters, none of them a control character, in Unicode normal form C."""

EventType = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE),
    AfterValidator(_to_nfc),
    Field(
        description="What was done, in your own words; view, click, play, like, purchase, rating, dislike and a few "
        "more have weights of their own, any other counts like a click. 1 to 64 characters."
    ),
]

Time = Annotated[datetime, BeforeValidator(_refuse_other_forms), AfterValidator(_to_utc)]
EventTime = Annotated[Time, AfterValidator(_refuse_future)]

ItemRef = Annotated[str, Field(description="The item, by your id for it.")]
UserRef = Annotated[str, Field(description="The user, by your id for them.")]
EventRef = Annotated[str, Field(description="The event, by the `event_id` you gave it.")]
BundleRef = Annotated[str, Field(description="The bundle: twelve hexadecimal digits of what its files hash to.")]
"""These four are what an answer names things by."""

INVALID_FILTER: Final = "invalid_filter"
FilterText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_LENGTH),
    AfterValidator(_refuse_unreadable),
    Field(
        description="A boolean expression over properties and categories, such as `year >= 1990 and categories has "
        f'"Comedy"`: see the guide, docs/guide/asking.md. 1 to {MAX_LENGTH:,} characters.',
        json_schema_extra={"format": "filter"},
        examples=['year >= 1990 and categories has "Comedy"', "available() and not exists(hidden)"],
    ),
]
"""A filter that can be read."""

Number = StrictFloat
EventValue = Annotated[
    Number | None, Field(description="Its size where it has one: of a rating, from 0 to the `scale` of its type, 5.")
]
DwellS = Annotated[
    Annotated[Number, Field(ge=0, le=1e9)] | None,
    Field(description="For how long, in seconds. Read of a view or a play."),
]
Completion = Annotated[
    Annotated[Number, Field(ge=0, le=1)] | None,
    Field(description="How much of the item, 0 to 1: read of a view or a play, and before `dwell_s`."),
]
BudgetMs = Annotated[StrictInt, Field(ge=1, le=60_000), BeforeValidator(take_whole)]
WholeNumber = Annotated[StrictInt, BeforeValidator(take_whole)]
Length = Annotated[StrictInt, Field(ge=1, le=500), BeforeValidator(take_whole)]
"""Of a slate, in items. Bounds come before the validator: where null may stand beside it, the document tells them."""
Scalar = Annotated[str, StringConstraints(max_length=10_000)] | StrictBool | StrictInt | StrictFloat | None
PropertyName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
PropertyValue = Scalar | Annotated[list[Scalar], Field(max_length=100)]
ShownProperties = Annotated[
    dict[str, Scalar | list[Scalar]],
    Field(description="The item's properties, and its `title` and `categories`."),
]
