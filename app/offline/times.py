"""Times as a table writes them -> aware UTC times."""

from datetime import UTC, datetime

import polars as pl

from app.errors import DataError
from app.offline.columns import TimeUnit

UTC_MICROSECONDS = pl.Datetime("us", "UTC")

SMALLEST = {TimeUnit.MICROSECONDS: 1e14, TimeUnit.MILLISECONDS: 1e11, TimeUnit.SECONDS: 1e8}
"""From which median on a column of numbers is in this unit: each bound lies in March 1973."""

COMMON_FORMS = ("%+", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")
"""RFC 3339 with an offset; what pandas and SQL print; whole days. A million of them are read in 0.3 s."""

PER_UNIT = {TimeUnit.SECONDS: 1e6, TimeUnit.MILLISECONDS: 1e3, TimeUnit.MICROSECONDS: 1.0}


def to_utc(times: pl.Series, unit: TimeUnit = TimeUnit.AUTO) -> pl.Series:
    """`times` (text, numbers, dates or datetimes) as UTC to the microsecond; null where one cannot be read.

    Naive times are taken as UTC. Raises DataError where the column's type is no time's, or its numbers are of no unit
    that can be detected.
    """
    if isinstance(times.dtype, pl.Date | pl.Datetime):
        return _from_temporal(times)
    if not (times.dtype.is_numeric() or isinstance(times.dtype, pl.String | pl.Null)):
        raise DataError(f"column {times.name} ({times.dtype}) holds no times: expected text, numbers or datetimes")
    numbers = times.cast(pl.Float64, strict=False)
    numbers = numbers.set(~numbers.is_finite(), None)
    if unit is TimeUnit.ISO or (unit is TimeUnit.AUTO and _mostly_text(times, numbers)):
        return _from_iso(times)
    unit = _detect(numbers) if unit is TimeUnit.AUTO else unit
    return (numbers * PER_UNIT[unit]).round().cast(pl.Int64, strict=False).cast(UTC_MICROSECONDS)


def _from_temporal(times: pl.Series) -> pl.Series:
    if isinstance(times.dtype, pl.Date) or times.dtype.time_zone is None:
        return times.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return times.dt.convert_time_zone("UTC").cast(UTC_MICROSECONDS)


def _mostly_text(times: pl.Series, numbers: pl.Series) -> bool:
    return numbers.count() < times.count() / 2


def _from_iso(times: pl.Series) -> pl.Series:
    """The common forms at a stroke, any other form of ISO 8601 one by one (mixed in one column too)."""
    read = pl.coalesce(
        pl.col("times").str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False) for form in COMMON_FORMS
    )
    frame = times.alias("times").to_frame().with_columns(read=read)
    rest = frame.filter(pl.col("read").is_null() & pl.col("times").is_not_null())["times"].unique()
    slowly = pl.DataFrame(
        {"times": rest, "slowly": pl.Series([_read_iso(text) for text in rest], dtype=UTC_MICROSECONDS)}
    )
    joined = frame.join(slowly, on="times", how="left", maintain_order="left")
    return joined.select(pl.coalesce("read", "slowly").alias(times.name)).to_series()


def _read_iso(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _detect(numbers: pl.Series) -> TimeUnit:
    median = numbers.median()
    if median is None:
        return TimeUnit.SECONDS
    for unit, smallest in SMALLEST.items():
        if median >= smallest:
            return unit
    raise DataError(
        f"column {numbers.name}: numbers around {median:,.0f} are Unix times of no unit we can tell: set "
        "events.time_unit to s, ms, us or iso"
    )
