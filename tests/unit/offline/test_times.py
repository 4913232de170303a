from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DataError
from app.offline.columns import TimeUnit
from app.offline.times import to_utc

TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)
MOMENTS = st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of hypothesis are naive


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T10:00:00Z",
        "2024-01-01T12:00:00+02:00",
        "2024-01-01 10:00:00",
        "2024-01-01 10:00:00.000000",
        "2024-01-01T10:00",
        "20240101T100000Z",
        "2024-W01-1T10:00Z",
    ],
)
def test_every_form_of_iso_8601_is_the_same_moment(text: str) -> None:
    assert to_utc(pl.Series(["2023-05-05", text])).to_list()[1] == TEN


def test_a_column_may_mix_forms_and_what_cannot_be_read_is_null() -> None:
    times = to_utc(pl.Series(["2024-01-01", "2024-01-01T10:00:00Z", "soon", None, "2024-13-01"]))
    assert times.to_list() == [datetime(2024, 1, 1, tzinfo=UTC), TEN, None, None, None]


@given(st.lists(MOMENTS, min_size=1))
def test_iso_text_in_any_offset_comes_back_as_the_same_moments(moments: list[datetime]) -> None:
    texts = [moment.astimezone(timezone(timedelta(minutes=-210))).isoformat() for moment in moments]
    assert to_utc(pl.Series(texts)).to_list() == moments


@pytest.mark.parametrize(("unit", "per_s"), [("s", 1), ("ms", 1_000), ("us", 1_000_000)])
@pytest.mark.parametrize("as_text", [False, True])
def test_the_size_of_numbers_tells_their_unit(unit: str, per_s: int, as_text: bool) -> None:
    number = 1_704_103_200 * per_s
    column = pl.Series([str(number)] * 3 if as_text else [number] * 3)
    assert to_utc(column).to_list() == [TEN] * 3
    assert to_utc(column, TimeUnit(unit)).to_list() == [TEN] * 3


def test_one_zero_does_not_change_the_unit_of_a_column() -> None:
    assert to_utc(pl.Series([0, 1_704_103_200_000, 1_704_103_200_000]))[0] == datetime(1970, 1, 1, tzinfo=UTC)


def test_fractions_of_a_second_are_kept() -> None:
    assert to_utc(pl.Series(["1704103200.25"]))[0] == TEN + timedelta(milliseconds=250)


@pytest.mark.parametrize("number", ["NaN", "inf", "1e300", "x"])
def test_numbers_that_are_no_times_are_null(number: str) -> None:
    assert to_utc(pl.Series(["1704103200", number, "1704103200"])).to_list() == [TEN, None, TEN]


def test_numbers_of_no_unit_are_refused_rather_than_guessed() -> None:
    with pytest.raises(DataError, match=r"column day: numbers around 20,240,101 .* set events\.time_unit"):
        to_utc(pl.Series("day", ["20240101", "20240101", "20240101"]))


def test_a_told_unit_is_believed() -> None:
    assert to_utc(pl.Series([86_400]), TimeUnit.SECONDS)[0] == datetime(1970, 1, 2, tzinfo=UTC)
    assert to_utc(pl.Series(["20240101"]), TimeUnit.ISO)[0] == datetime(2024, 1, 1, tzinfo=UTC)


def test_typed_times_become_utc() -> None:
    naive = pl.Series([datetime(2024, 1, 1, 10)])  # noqa: DTZ001 - as a naive column comes
    assert to_utc(naive)[0] == TEN
    assert to_utc(naive.dt.replace_time_zone("Europe/Berlin"))[0] == TEN - timedelta(hours=1)
    assert to_utc(naive.cast(pl.Datetime("ns"))).dtype == pl.Datetime("us", "UTC")
    assert to_utc(pl.Series([date(2024, 1, 1)]))[0] == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("empty", [pl.Series([], dtype=pl.String), pl.Series([None, None])])
def test_a_column_without_times_stays_without(empty: pl.Series) -> None:
    assert to_utc(empty).null_count() == len(empty)


def test_a_column_that_cannot_be_times_is_refused() -> None:
    with pytest.raises(DataError, match="holds no times"):
        to_utc(pl.Series("at", [True]))
