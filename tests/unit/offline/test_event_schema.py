from datetime import UTC, datetime

import polars as pl
import pytest

from app.errors import DataError
from app.offline.event_schema import check_events


def events(**columns: object) -> pl.DataFrame:
    """One good event, with columns changed."""
    good = {
        "user_id": pl.Series(["u"]),
        "item_id": pl.Series(["a"]),
        "type": pl.Series(["view"]),
        "at": pl.Series([datetime(2024, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC")),
        "value": pl.Series([None], dtype=pl.Float32),
        "weight": pl.Series([0.2], dtype=pl.Float32),
    }
    return pl.DataFrame(good | columns)


def test_good_events_pass_unchanged() -> None:
    good = events(context_device=pl.Series([None], dtype=pl.String))
    assert check_events(good, has_times=True).equals(good)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("user_id", pl.Series([None], dtype=pl.String)),
        ("item_id", pl.Series([""])),
        ("type", pl.Series([""])),
        ("at", pl.Series([datetime(1970, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC"))),
        ("at", pl.Series([1_704_103_200])),
        ("value", pl.Series([1.0], dtype=pl.Float64)),
        ("weight", pl.Series([1.5], dtype=pl.Float32)),
        ("weight", pl.Series([None], dtype=pl.Float32)),
        ("context_device", pl.Series([""])),
        ("surprise", pl.Series(["x"])),
    ],
)
def test_a_broken_promise_is_named(column: str, values: pl.Series) -> None:
    with pytest.raises(DataError, match=f"break their schema.*{column}"):
        check_events(events(**{column: values}), has_times=True)


def test_row_numbers_as_times_may_lie_on_the_first_day_of_1970() -> None:
    early = events(at=pl.Series([datetime(1970, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC")))
    assert check_events(early, has_times=False).equals(early)
