from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from app.domain import Context
from app.scoring.context import ContextCodes
from models.events import NO_GAP, NO_HOUR

CODES = ContextCodes({"place": ["home", "work"], "device": ["phone"]})
MONDAY_AT_THREE = datetime(2024, 1, 1, 3, tzinfo=UTC)


def test_codes_start_at_one_in_the_order_of_the_features_names() -> None:
    assert CODES.encode({"place": "work", "device": "phone"}).tolist() == [1, 2]  # device, place
    assert CODES.sizes == (2, 3)


@pytest.mark.parametrize("features", [{}, {"place": "moon"}, {"place": ""}, {"mood": "home"}, {"place": "HOME"}])
def test_what_was_never_trained_on_is_code_zero(features: dict[str, str]) -> None:
    assert CODES.encode(features).tolist() == [0, 0]


def test_columns_are_coded_as_requests_are() -> None:
    columns = {"place": np.array(["home", "", "moon"]), "mood": np.array(["a", "b", "c"])}
    table = CODES.encode_columns(columns, n=3)
    one_by_one = [CODES.encode({"place": place}).tolist() for place in columns["place"].tolist()]
    assert table.tolist() == one_by_one == [[0, 1], [0, 0], [0, 0]]


def test_a_bundle_without_features_has_none_to_code() -> None:
    assert ContextCodes({}).encode({"place": "home"}).shape == (0,)
    assert ContextCodes({}).encode_columns({}, n=2).shape == (2, 0)


def test_a_request_is_placed_in_time_and_after_the_last_event() -> None:
    last = int(MONDAY_AT_THREE.timestamp()) - 60
    batch = CODES.batch(Context(MONDAY_AT_THREE, {"place": "home"}), last, has_times=True)
    assert [t.tolist() for t in (batch.hours, batch.weekdays, batch.gaps)] == [[3], [0], [8]]  # 2 ln 61 = 8.2
    assert batch.features.tolist() == [[0, 1]]


def test_the_hour_is_utc_wherever_the_request_comes_from() -> None:
    there = MONDAY_AT_THREE.astimezone(timezone(timedelta(hours=9)))
    assert CODES.batch(Context(there), None, has_times=True).hours.tolist() == [3]


def test_without_a_last_event_there_is_no_gap() -> None:
    assert CODES.batch(Context(MONDAY_AT_THREE), None, has_times=True).gaps.tolist() == [NO_GAP]


def test_a_last_event_in_the_future_counts_as_just_now() -> None:
    later = int(MONDAY_AT_THREE.timestamp()) + 3_600
    assert CODES.batch(Context(MONDAY_AT_THREE), later, has_times=True).gaps.tolist() == [0]


def test_a_bundle_without_a_clock_reads_no_time() -> None:
    batch = CODES.batch(Context(MONDAY_AT_THREE), 0, has_times=False)
    assert (batch.hours.tolist(), batch.gaps.tolist()) == ([NO_HOUR], [NO_GAP])
