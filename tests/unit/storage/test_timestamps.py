from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.timestamps import from_micros, to_micros


def test_one_second_and_a_half_is_1_500_000() -> None:
    assert to_micros(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)) == 1_500_000


def test_the_same_instant_in_another_zone_is_the_same_number() -> None:
    assert to_micros(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 0


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_datetime_survives(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001
