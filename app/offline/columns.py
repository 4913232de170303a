"""Which column of somebody's table is what to us: a small mapping, written as TOML, as flags, or ready-made.

    [events]
    user_id = "customer"
    at = "bought_on"
    default_type = "purchase"
    context = ["device", "store"]

    [items]
    title = "name"
    categories = "tags"

What is not told keeps its default below, which is the API's own name. A role may name several columns, in a list or
with commas between: in each row the first of them that has a value is taken. Of context features and properties each
column named is one; there a name that ends in a star stands for every column that begins so and has no other role.
"""

import tomllib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.errors import DataError
from app.offline.dataset import CONTEXT_PREFIX


def _as_names(value: object) -> object:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def _as_names_or_rest(value: object) -> object:
    return value if value == REST else _as_names(value)


REST: Final = "*"
Names = Annotated[tuple[str, ...], BeforeValidator(_as_names)]
NamesOrRest = Annotated[Literal["*"] | tuple[str, ...], BeforeValidator(_as_names_or_rest)]


class TimeUnit(StrEnum):
    """How a table writes times. AUTO looks: ISO 8601 text, or numbers, whose size tells their unit."""

    AUTO = "auto"
    ISO = "iso"
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"


class TableColumns(BaseModel, ABC):
    """Roles of one table's columns. required: roles that must find a column. open_role: the one that takes "*"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: ClassVar[tuple[str, ...]]
    open_role: ClassVar[str]

    @property
    @abstractmethod
    def required(self) -> tuple[str, ...]: ...


class EventColumns(TableColumns):
    roles = ("user_id", "item_id", "at", "type", "value", "rating", "dwell_s", "completion", "context")
    open_role = "context"

    user_id: Names = ("user_id",)
    item_id: Names = ("item_id",)
    at: Names = Field(default=("at",), description="Time. Naive times are taken as UTC.")
    time_unit: TimeUnit = TimeUnit.AUTO
    row_order_is_time: bool = Field(
        default=False,
        description="Where there is no time column, take the order of the rows as time instead of refusing.",
    )
    type: Names = ("type",)
    default_type: str = Field(default="interaction", min_length=1, description="Type of an event that has none.")
    value: Names = ("value",)
    rating: Names = Field(default=(), description="A value that makes an event without a type a `rating`.")
    dwell_s: Names = Field(default=("dwell_s",), description="For how long, in seconds, the item was taken in.")
    completion: Names = Field(default=("completion",), description="How much of the item was taken in, 0 to 1.")
    context: NamesOrRest = Field(
        default=(CONTEXT_PREFIX + REST,),
        description="Context features, called as their columns, less a `context_` in front. A star at the end: every "
        "column that begins so and has no other role.",
    )

    @property
    def required(self) -> tuple[str, ...]:
        return ("user_id", "item_id") if self.row_order_is_time else ("user_id", "item_id", "at")


class ItemColumns(TableColumns):
    roles = ("item_id", "title", "year", "categories", "description", "properties")
    open_role = "properties"

    item_id: Names = ("item_id",)
    title: Names = ("title",)
    year: Names = Field(
        default=(), description='Year of release: written after the title, "(1995)", and kept as a property.'
    )
    categories: Names = ("categories",)
    category_separator: str = Field(
        default="|", min_length=1, description="Between categories where they are one text."
    )
    description: Names = ("description",)
    properties: NamesOrRest = Field(
        default=REST, description='Kept as properties; "*": every column that has no other role.'
    )
    absent: Names = Field(default=(), description="Texts that stand for nothing, such as unknown.")

    @property
    def required(self) -> tuple[str, ...]:
        return ("item_id", "title")


class ColumnMapping(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    events: EventColumns = EventColumns()
    items: ItemColumns = ItemColumns()


API_NAMES = ColumnMapping()

MOVIELENS_100K = ColumnMapping(
    events=EventColumns(
        user_id=("user_id:token",), item_id=("item_id:token",), at=("timestamp:float",), rating=("rating:float",)
    ),
    items=ItemColumns(
        item_id=("item_id:token",),
        title=("movie_title:token_seq",),
        year=("release_year:token",),
        categories=("class:token_seq",),
        category_separator=" ",
        absent=("unknown", "unkonwn"),  # the second is how the source spells it
    ),
)

BENCHMARK = ColumnMapping(
    events=EventColumns(at=("timestamp",), row_order_is_time=True, rating=("rating",), value=("count",), context=REST),
    items=ItemColumns(
        categories=("genres", "genre", "categories", "category"),
        description=("description", "short_description"),
        absent=("unknown",),
    ),
)

READY_MADE = {"api": API_NAMES, "movielens-100k": MOVIELENS_100K, "benchmark": BENCHMARK}


def get_mapping(source: str, changes: Iterable[str] = ()) -> ColumnMapping:
    """The mapping called `source` (ready-made, else a TOML file), with `changes` such as "events.user_id=customer".

    Raises DataError naming what is wrong and what may be said.
    """
    mapping = READY_MADE.get(source)
    fields = mapping.model_dump() if mapping else _read_toml(Path(source))
    for change in changes:
        _apply(change, fields)
    try:
        return ColumnMapping.model_validate(fields)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"column mapping {source}: {where}: {first['msg']} (came: {first['input']!r})") from invalid


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"no column mapping {path}: name a TOML file, or one of {', '.join(READY_MADE)}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as invalid:
        raise DataError(f"column mapping {path} is not TOML: {invalid}") from invalid


def _apply(change: str, fields: dict[str, Any]) -> None:
    role, equals, value = change.partition("=")
    table, dot, name = role.strip().partition(".")
    if not (equals and dot and table in ColumnMapping.model_fields):
        raise DataError(f"column change {change!r}: expected events.<role>=<column> or items.<role>=<column>")
    fields.setdefault(table, {})[name] = value.strip()
