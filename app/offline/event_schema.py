"""What `events.parquet` promises, checked on the very frame that is about to be written."""

import pandera.polars as pa
import polars as pl

from app.errors import DataError
from app.offline.dataset import CONTEXT_PREFIX
from app.offline.rules import EARLIEST
from app.offline.times import UTC_MICROSECONDS


def check_events(events: pl.DataFrame, *, has_times: bool) -> pl.DataFrame:
    """`events` as it came. Raises DataError naming each broken promise: that is a fault of the cleaning."""
    try:
        return _schema(has_times=has_times).validate(events, lazy=True)
    except pa.errors.SchemaErrors as broken:
        # A column too many is named by the case, every other broken promise by its column.
        cases = {(case["column"] or case["failure_case"], case["check"]) for case in broken.failure_cases.to_dicts()}
        told = ", ".join(sorted(f"{column}: {check}" for column, check in cases))
        raise DataError(f"cleaned events break their schema ({told}): please report it") from broken


def _schema(*, has_times: bool) -> pa.DataFrameSchema:
    filled = pa.Check.str_length(min_value=1)
    return pa.DataFrameSchema(
        {
            "user_id": pa.Column(pl.String, filled),
            "item_id": pa.Column(pl.String, filled),
            "type": pa.Column(pl.String, filled),
            "at": pa.Column(UTC_MICROSECONDS, pa.Check.ge(EARLIEST) if has_times else None),
            "value": pa.Column(pl.Float32, nullable=True),
            "dwell_s": pa.Column(pl.Float64, pa.Check.ge(0), nullable=True, required=False),
            "completion": pa.Column(pl.Float64, pa.Check.in_range(0, 1), nullable=True, required=False),
            "weight": pa.Column(pl.Float32, pa.Check.in_range(-1, 1)),
            f"^{CONTEXT_PREFIX}.+$": pa.Column(pl.String, filled, nullable=True, regex=True, required=False),
        },
        strict=True,
        ordered=True,
    )
