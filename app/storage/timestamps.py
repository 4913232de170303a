"""A time as an integer, the form in which every store keeps it: microseconds since 1970-01-01 UTC, exact both ways."""

from datetime import UTC, datetime, timedelta

MICROS_PER_S = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, negative before it. A naive datetime raises TypeError."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + micros * _MICROSECOND
