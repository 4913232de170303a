from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.errors import DataError
from app.offline.columns import EventColumns
from app.offline.source_events import SourceEvents, read_source_events

RATED = EventColumns(at=("timestamp",), rating=("rating",))


def read_csv(folder: Path, text: str, mapping: EventColumns) -> SourceEvents:
    (folder / "events.csv").write_text(text)
    return read_source_events(folder / "events.csv", mapping)


def test_a_rating_makes_an_untyped_event_a_rating(tmp_path: Path) -> None:
    text = "user_id,item_id,timestamp,rating,type\n1,a,1704103200,4,\n1,b,1704103200,,\n1,c,1704103200,3,view\n"
    frame = read_csv(tmp_path, text, RATED).frame
    assert frame["type"].to_list() == ["rating", "interaction", "view"]
    assert frame["value"].to_list() == [4.0, None, 3.0]


def test_a_value_leaves_the_type_alone(tmp_path: Path) -> None:
    mapping = EventColumns(value=("uses",), default_type="play")
    frame = read_csv(tmp_path, "user_id,item_id,at,uses\n1,a,1704103200,7\n", mapping).frame
    assert (frame["type"][0], frame["value"][0]) == ("play", 7.0)


def test_a_value_that_cannot_be_read_is_marked_as_given(tmp_path: Path) -> None:
    text = "user_id,item_id,timestamp,rating\n1,a,1704103200,good\n1,b,1704103200,\n"
    frame = read_csv(tmp_path, text, RATED).frame
    assert frame["value"].to_list() == [None, None]
    assert frame["value_given"].to_list() == [True, False]


def test_a_time_that_cannot_be_read_is_marked_as_given(tmp_path: Path) -> None:
    frame = read_csv(
        tmp_path, "user_id,item_id,at\n1,a,1704103200\n1,b,soon\n1,c,\n1,d,1704103200\n", EventColumns()
    ).frame
    assert frame["at"].to_list() == [
        datetime(2024, 1, 1, 10, tzinfo=UTC),
        None,
        None,
        datetime(2024, 1, 1, 10, tzinfo=UTC),
    ]
    assert frame["at_given"].to_list() == [True, True, False, True]


def test_without_times_the_order_of_the_rows_stands_for_them(tmp_path: Path) -> None:
    source = read_csv(tmp_path, "user_id,item_id\n1,a\n1,b\n2,a\n", EventColumns(row_order_is_time=True))
    assert not source.has_times
    assert source.frame["at"].to_list() == [datetime(1970, 1, 1, 0, 0, second, tzinfo=UTC) for second in range(3)]
    assert source.frame["at_given"].all()


def test_context_keeps_its_words_as_they_are(tmp_path: Path) -> None:
    text = "user_id,item_id,at,place,weather\n1,a,1704103200,NA,unknown\n1,b,1704103200,,12\n"
    source = read_csv(tmp_path, text, EventColumns(context="*"))
    assert source.frame["context_place"].to_list() == ["NA", None]
    assert source.frame["context_weather"].to_list() == ["unknown", "12"]


def test_a_context_column_is_called_as_its_feature_or_with_the_prefix_and_not_both(tmp_path: Path) -> None:
    table = "user_id,item_id,at,context_place,place\n1,a,1704103200,home,office\n"
    assert read_csv(tmp_path, table, EventColumns()).frame["context_place"].to_list() == ["home"]
    with pytest.raises(DataError, match="two columns for one context feature, context_place and place"):
        read_csv(tmp_path, table, EventColumns(context="*"))


def test_numbers_as_ids_are_the_same_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"user_id": 1, "item_id": "7", "at": 1704103200}\n')
    frame = read_source_events(tmp_path / "events.jsonl", EventColumns()).frame
    assert (frame["user_id"][0], frame["item_id"][0]) == ("1", "7")
