"""What cleaning did to a data set, as facts, figures and a page to read."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime

import polars as pl

from app.history.weights import event_types
from app.offline.report import markdown_table
from app.offline.rules import Tally


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Events of one type and what they are worth, see `app.history.weights`. off_scale: ratings beyond their scale."""

    type: str
    events: int
    least_weight: float
    most_weight: float
    off_scale: int


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """whole_days: every time is a midnight."""

    first_at: datetime
    last_at: datetime
    whole_days: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, dropped and kept.

    times: None where the source has none and the order of its rows stands for them. context: feature -> its values.
    event_columns, item_columns: role -> the source's columns.
    """

    name: str
    digest: str
    n_users: int
    n_items_without_events: int
    events: Tally
    items: Tally
    times: TimeSpan | None
    types: tuple[TypeCount, ...]
    context: Mapping[str, tuple[str, ...]]
    event_columns: Mapping[str, tuple[str, ...]]
    item_columns: Mapping[str, tuple[str, ...]]

    def figures(self) -> dict[str, float]:
        return {
            "users": self.n_users,
            "items_without_events": self.n_items_without_events,
            **_tally_figures("events", self.events),
            **_tally_figures("items", self.items),
            **{f"events_of_type_{count.type}": count.events for count in self.types},
        }


def find_time_span(events: pl.DataFrame, *, has_times: bool) -> TimeSpan | None:
    if not has_times:
        return None
    at = events["at"]
    return TimeSpan(at.min(), at.max(), whole_days=bool((at.dt.truncate("1d") == at).all()))


def count_types(events: pl.DataFrame) -> tuple[TypeCount, ...]:
    """Most frequent first, then by name."""
    weight, value = pl.col("weight"), pl.col("value")
    scales = {known.name: known.scale for known in event_types() if known.scale is not None}
    scale = pl.col("type").replace_strict(scales, default=None, return_dtype=pl.Float64)
    off_scale = ((value < 0) | (value > scale)) & scale.is_not_null()
    counts = events.group_by("type").agg(
        pl.len(), weight.min().alias("least"), weight.max().alias("most"), off_scale.sum().alias("off_scale")
    )
    return tuple(TypeCount(*row) for row in counts.sort(-pl.col("len").cast(pl.Int64), "type").iter_rows())


def to_markdown(report: Report) -> str:
    """The body of the data report."""
    sections = {
        "Before and after": _before_and_after(report),
        "Dropped": _dropped(report),
        "Times": _times(report),
        "Types of event": _types(report),
        "Context": _context(report),
        "Columns": _columns(report),
    }
    head = f"Content digest `{report.digest}`."
    return "\n\n".join([head, *(f"## {title}\n\n{text}" for title, text in sections.items())])


def _tally_figures(what: str, tally: Tally) -> dict[str, float]:
    drops = {f"{what}_dropped_{drop.name}": drop.rows for drop in tally.drops}
    return {f"{what}_read": tally.read, f"{what}_kept": tally.kept, **drops}


def _before_and_after(report: Report) -> str:
    rows = [(what, tally.read, tally.read - tally.kept, tally.kept) for what, tally in _tallies(report)]
    table = markdown_table(pl.DataFrame(rows, schema=["of", "read", "dropped", "kept"], orient="row"))
    return (
        f"{table}\n\n{report.n_users:,} users. {report.n_items_without_events:,} of the kept items have no event: they "
        "stay, to be recommended by their text. Repeats of a user and an item at other times are kept, and so are "
        "items with the same title."
    )


def _dropped(report: Report) -> str:
    rows = [(what, drop.why, drop.rows) for what, tally in _tallies(report) for drop in tally.drops]
    table = markdown_table(pl.DataFrame(rows, schema=["of", "reason", "rows"], orient="row"))
    return f"Checked in this order; a row is counted under the first reason that applies.\n\n{table}"


def _tallies(report: Report) -> list[tuple[str, Tally]]:
    return [("items", report.items), ("events", report.events)]


def _times(report: Report) -> str:
    if report.times is None:
        return (
            "The source has no times. **The order of its rows stands for the time**: event n is put n seconds after "
            "1970-01-01. A split by time is then a split by row order, and hour and weekday mean nothing."
        )
    span = f"{report.times.first_at:%Y-%m-%d %H:%M:%S} to {report.times.last_at:%Y-%m-%d %H:%M:%S}, UTC."
    if report.times.whole_days:
        return f"{span} Whole days only: the order within a day is the source's own, and the hour means nothing."
    return span


def _types(report: Report) -> str:
    rows = [astuple(count) for count in report.types]
    schema = ["type", "events", "least weight", "most weight", "beyond their scale"]
    table = markdown_table(pl.DataFrame(rows, schema=schema, orient="row"), decimals=2)
    if not any(count.off_scale for count in report.types):
        return table
    return f"{table}\n\nRatings beyond their scale count like its end. Is it another one: `scale` in `event_types`."


def _context(report: Report) -> str:
    if not report.context:
        return "No feature was read."
    rows = [(feature, len(values), ", ".join(values[:5])) for feature, values in report.context.items()]
    return markdown_table(pl.DataFrame(rows, schema=["feature", "values", "the first"], orient="row"))


def _columns(report: Report) -> str:
    tables = [("events", report.event_columns), ("items", report.item_columns)]
    rows = [(table, role, ", ".join(names)) for table, roles in tables for role, names in roles.items() if names]
    return markdown_table(pl.DataFrame(rows, schema=["table", "role", "columns"], orient="row"))
