"""What is dropped and why: one rule a reason, applied in order, so that each row is dropped for its first reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from app.offline.dataset import CONTEXT_PREFIX
from app.offline.source_events import SourceEvents
from app.offline.source_items import SourceItems

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""Times on 1 January 1970 are zero, or nearly: a default and not a time."""

CLOCK_ERROR = timedelta(days=1)
"""How far ahead of now a time may lie: clocks go wrong and time zones get lost by up to 14 h."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Drop the rows for which `dropped` is true (never null). name: part of a figure's name. why: for people."""

    name: str
    why: str
    dropped: pl.Expr


@dataclass(frozen=True, slots=True)
class Drop:
    """How many rows a rule dropped."""

    name: str
    why: str
    rows: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows read, rows kept, and what each rule dropped: drops hold every rule, in order, with 0 where it found none."""

    read: int
    kept: int
    drops: tuple[Drop, ...]


def sift(frame: pl.DataFrame, rules: Sequence[Rule]) -> tuple[pl.DataFrame, Tally]:
    """The rows that every rule lets pass, in their order."""
    left, drops = frame, []
    for rule in rules:
        passed = left.filter(~rule.dropped)
        drops.append(Drop(rule.name, rule.why, len(left) - len(passed)))
        left = passed
    return left, Tally(len(frame), len(left), tuple(drops))


def item_rules() -> list[Rule]:
    return [
        Rule("missing_id", "no item id", pl.col("item_id").is_null()),
        Rule("without_text", "no title once cleaned: nothing to encode, nothing to show", pl.col("title").is_null()),
        Rule("duplicate_id", "the id of an earlier item", ~pl.col("item_id").is_first_distinct()),
    ]


def event_rules(events: SourceEvents, items: SourceItems, kept_items: pl.DataFrame, now: datetime) -> list[Rule]:
    """`now` is the time of cleaning, aware."""
    has_row = pl.col("item_id").is_in(items.frame["item_id"].implode())
    is_kept = pl.col("item_id").is_in(kept_items["item_id"].implode())
    not_finite = pl.col("value").is_null() | ~pl.col("value").is_finite()
    return [
        Rule("missing_id", "no user id or no item id", pl.col("user_id").is_null() | pl.col("item_id").is_null()),
        *(_time_rules(now) if events.has_times else []),
        Rule(
            "bad_value", "a value that is not a finite number", pl.col("value_given") & not_finite.fill_null(value=True)
        ),
        Rule("unknown_item", "its item has no row in the item table", ~has_row),
        Rule("item_without_text", "its item was dropped for having no text", ~is_kept),
        Rule("duplicate", _duplicate_why(events), ~_identity(events).is_first_distinct()),
    ]


def _time_rules(now: datetime) -> list[Rule]:
    at = pl.col("at")
    return [
        Rule("missing_time", "no time", ~pl.col("at_given")),
        Rule("unreadable_time", "a time that cannot be read", at.is_null()),
        Rule("too_early", "a time before 1970-01-02: a zero, not a time", at < pl.lit(EARLIEST)),
        Rule("in_future", "a time more than a day after the cleaning", at > pl.lit(now + CLOCK_ERROR)),
    ]


def _duplicate_why(events: SourceEvents) -> str:
    same = "user, item, time, type, value and context" if events.has_times else "user, item, type, value and context"
    return f"an earlier event has the same {same}"


def _identity(events: SourceEvents) -> pl.Expr:
    context = [name for name in events.frame.columns if name.startswith(CONTEXT_PREFIX)]
    at = ["at"] if events.has_times else []
    return pl.struct("user_id", "item_id", *at, "type", "value", *context)
