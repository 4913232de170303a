"""An event table as it came, in our columns: nothing dropped, what cannot be read is null."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from app.errors import DataError
from app.offline.columns import EventColumns
from app.offline.dataset import CONTEXT_PREFIX
from app.offline.tables import Table, open_table, resolve_roles
from app.offline.times import UTC_MICROSECONDS, to_utc


@dataclass(frozen=True, slots=True)
class SourceEvents:
    """Rows of `frame` are the rows of the source, in its order.

    frame: user_id, item_id, type: text. at: UTC. value: float32. at_given, value_given: whether the source had one,
    readable or not. dwell_s, completion: float64, null where not told or not possible. context_<feature>: text.
    has_times: False where the order of the rows stands for the time, row n being n seconds after 1970-01-01.
    columns: role -> the source's columns.
    """

    frame: pl.DataFrame
    has_times: bool
    columns: dict[str, tuple[str, ...]]


def read_source_events(path: Path, mapping: EventColumns) -> SourceEvents:
    """Raises DataError where the file or a required column is missing, or the file is malformed."""
    table = open_table(path)
    columns = resolve_roles(table, mapping)
    has_times = bool(columns["at"])
    frame = _read_texts(table, columns)
    read = frame.with_columns(
        at=to_utc(frame["at"], mapping.time_unit) if has_times else _row_order(),
        at_given=pl.col("at").is_not_null() | pl.lit(not has_times),
        type=pl.coalesce("type", pl.when(pl.col("rating").is_not_null()).then(pl.lit("rating"))).fill_null(
            mapping.default_type
        ),
        value=pl.col("value").cast(pl.Float32, strict=False),
        value_given=pl.col("value").is_not_null(),
        dwell_s=_in_range("dwell_s", 0, None),
        completion=_in_range("completion", 0, 1),
    )
    return SourceEvents(read.drop("rating"), has_times, columns)


def _read_texts(table: Table, columns: dict[str, tuple[str, ...]]) -> pl.DataFrame:
    return table.read(
        user_id=table.text(columns["user_id"]),
        item_id=table.text(columns["item_id"]),
        at=pl.coalesce(columns["at"]) if columns["at"] else pl.lit(None),
        type=table.text(columns["type"]),
        value=table.text(columns["rating"] + columns["value"]),
        rating=table.text(columns["rating"]),
        dwell_s=table.text(columns["dwell_s"]),
        completion=table.text(columns["completion"]),
        **_features(table, columns["context"]),
    )


def _features(table: Table, columns: Sequence[str]) -> dict[str, pl.Expr]:
    """context_<feature>, be the column called so or as the feature is. Raises DataError where both are there."""
    names = [CONTEXT_PREFIX + (column.removeprefix(CONTEXT_PREFIX) or column) for column in columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        told = f"{twice} and {twice.removeprefix(CONTEXT_PREFIX)}"
        raise DataError(f"{table.path.name} has two columns for one context feature, {told}: name one of them")
    return {name: table.text([column]) for name, column in zip(names, columns, strict=True)}


def _in_range(name: str, low: float, high: float | None) -> pl.Expr:
    """A number, null where it cannot be read or cannot be: such an event is kept, and weighed without it."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    fits = number.is_finite() & (number >= low) & (pl.lit(value=True) if high is None else number <= high)
    return pl.when(fits).then(number)


def _row_order() -> pl.Expr:
    return (pl.int_range(pl.len(), dtype=pl.Int64) * 1_000_000).cast(UTC_MICROSECONDS)
