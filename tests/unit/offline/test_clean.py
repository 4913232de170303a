import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from app.errors import DataError
from app.history.weights import event_weight
from app.offline.clean import clean
from app.offline.columns import BENCHMARK, MOVIELENS_100K, ColumnMapping, EventColumns, ItemColumns
from app.offline.data_report import Report
from app.offline.dataset import read_dataset

NOW = datetime(2024, 1, 2, tzinfo=UTC)
ITEMS = "item_id,title\na,Alien\nb,Brazil\n"
CleanTables = Callable[..., Report]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def clean_tables(tmp_path: Path, out: Path) -> CleanTables:
    """clean() on two small CSV texts, as if on 2 January 2024."""

    def run(events: str, items: str = ITEMS, mapping: ColumnMapping | None = None) -> Report:
        (tmp_path / "events.csv").write_text(events)
        (tmp_path / "items.csv").write_text(items)
        return clean(tmp_path / "events.csv", tmp_path / "items.csv", mapping or ColumnMapping(), out, "tiny", now=NOW)

    return run


def dropped(report: Report) -> dict[str, float]:
    return {name: rows for name, rows in report.figures().items() if "_dropped_" in name and rows}


def test_what_was_cleaned_is_read_back_as_it_was(clean_tables: CleanTables, out: Path) -> None:
    report = clean_tables(
        "user_id,item_id,at,type,value,device\n"
        "u2,b,2024-01-01T10:00:00Z,view,,phone\n"
        "u1,a,2024-01-01T12:00:00+01:00,rating,4,tv\n"
        "u2,a,2024-01-01T09:00:00Z,purchase,,\n",
        "item_id,title,categories,description,year\na,Alien,Horror|Sci-Fi,A ship.,1979\nb,Brazil,,,1985\n",
        ColumnMapping(events=EventColumns(context=("device",))),
    )
    dataset = read_dataset(out)
    assert (dataset.name, dataset.digest) == ("tiny", report.digest)
    assert dataset.user_ids == ("u1", "u2")
    assert [(item.item_id, item.title, item.categories, item.description) for item in dataset.items] == [
        ("a", "Alien", ("Horror", "Sci-Fi"), "A ship."),
        ("b", "Brazil", (), ""),
    ]
    assert [item.properties for item in dataset.items] == [{"year": 1979}, {"year": 1985}]
    assert dataset.users.tolist() == [0, 1, 1]
    assert dataset.rows.tolist() == [0, 0, 1]
    nine = int(datetime(2024, 1, 1, 9, tzinfo=UTC).timestamp())
    assert dataset.at_s.tolist() == [nine + 2 * 3_600, nine, nine + 3_600]
    np.testing.assert_allclose(
        dataset.weights, [event_weight("rating", 4), event_weight("purchase"), event_weight("view")]
    )
    assert dataset.context["device"].tolist() == ["tv", "", "phone"]


def test_the_folder_tells_of_itself(clean_tables: CleanTables, out: Path) -> None:
    report = clean_tables(
        "user_id,item_id,at,device\nu,a,2024-01-01,tv\nv,a,2024-01-01,phone\n",
        mapping=ColumnMapping(events=EventColumns(context="*")),
    )
    assert json.loads((out / "dataset.json").read_text()) == {
        "name": "tiny",
        "digest": report.digest,
        "n_users": 2,
        "n_items": 2,
        "n_events": 2,
        "context": {"device": ["phone", "tv"]},
        "has_times": True,
    }
    assert json.loads((out / "report.json").read_text())["figures"] == report.figures()


def test_the_columns_and_types_of_the_events_are_as_announced(clean_tables: CleanTables, out: Path) -> None:
    clean_tables(
        "user_id,item_id,at,device\nu,a,2024-01-01,tv\n", mapping=ColumnMapping(events=EventColumns(context="*"))
    )
    assert pl.read_parquet_schema(out / "events.parquet") == {
        "user_id": pl.String,
        "item_id": pl.String,
        "type": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "value": pl.Float32,
        "weight": pl.Float32,
        "context_device": pl.String,
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",a,2024-01-01,4", "missing_id"),
        ("u, ,2024-01-01,4", "missing_id"),
        ("u,a,,4", "missing_time"),
        ("u,a,soon,4", "unreadable_time"),
        ("u,a,1970-01-01T23:59:59Z,4", "too_early"),
        ("u,a,1969-07-20,4", "too_early"),
        ("u,a,2024-01-03T00:00:01Z,4", "in_future"),
        ("u,a,2024-01-01,good", "bad_value"),
        ("u,a,2024-01-01,NaN", "bad_value"),
        ("u,z,2024-01-01,4", "unknown_item"),
        ("u,untitled,2024-01-01,4", "item_without_text"),
        ("first,a,2024-01-01,4", "duplicate"),
    ],
)
def test_an_event_is_dropped_for_its_reason(clean_tables: CleanTables, row: str, reason: str) -> None:
    report = clean_tables(f"user_id,item_id,at,value\nfirst,a,2024-01-01,4\n{row}\n", f"{ITEMS}untitled, &nbsp; \n")
    assert dropped(report) == {f"events_dropped_{reason}": 1, "items_dropped_without_text": 1}
    assert report.events.kept == 1


@pytest.mark.parametrize(
    "row",
    [
        "u,a,1970-01-02,view,",
        "u,a,2024-01-03,view,",
        "first,a,2024-01-01T00:00:01,view,4",
        "first,b,2024-01-01,view,4",
        "first,a,2024-01-01,like,4",
        "first,a,2024-01-01,view,5",
        "first,a,2024-01-01,view,",
    ],
    ids=["first day", "clock ahead", "later", "other item", "other type", "other value", "no value"],
)
def test_an_event_that_may_be_true_is_kept(clean_tables: CleanTables, row: str) -> None:
    report = clean_tables(f"user_id,item_id,at,type,value\nfirst,a,2024-01-01,view,4\n{row}\n")
    assert report.events.kept == 2


def test_the_same_deed_in_another_context_is_another_event(clean_tables: CleanTables) -> None:
    mapping = ColumnMapping(events=EventColumns(context="*"))
    text = "user_id,item_id,at,device\nu,a,2024-01-01,tv\nu,a,2024-01-01,phone\nu,a,2024-01-01,phone\n"
    assert clean_tables(text, mapping=mapping).events.kept == 2


def test_a_row_is_counted_once_though_much_is_wrong_with_it(clean_tables: CleanTables) -> None:
    report = clean_tables("user_id,item_id,at\nu,a,2024-01-01\n,z,soon\n")
    assert dropped(report) == {"events_dropped_missing_id": 1}


@pytest.mark.parametrize(
    ("row", "reason"), [(",C", "missing_id"), ("c,", "without_text"), ("a,Aliens", "duplicate_id")]
)
def test_an_item_is_dropped_for_its_reason(clean_tables: CleanTables, out: Path, row: str, reason: str) -> None:
    report = clean_tables("user_id,item_id,at\nu,a,2024-01-01\n", f"{ITEMS}{row}\n")
    assert dropped(report) == {f"items_dropped_{reason}": 1}
    assert [item.title for item in read_dataset(out).items] == ["Alien", "Brazil"]


def test_the_second_row_of_an_item_is_taken_where_the_first_has_no_text(clean_tables: CleanTables, out: Path) -> None:
    clean_tables("user_id,item_id,at\nu,a,2024-01-01\n", "item_id,title\na,\na,Alien\n")
    assert [item.title for item in read_dataset(out).items] == ["Alien"]


def test_items_of_one_title_and_items_without_events_stay(clean_tables: CleanTables) -> None:
    report = clean_tables("user_id,item_id,at\nu,a,2024-01-01\n", f"{ITEMS}c,Alien\n")
    assert (report.items.kept, report.n_items_without_events) == (3, 2)


def test_without_times_equal_rows_are_duplicates_and_order_is_kept(clean_tables: CleanTables, out: Path) -> None:
    mapping = ColumnMapping(events=EventColumns(row_order_is_time=True))
    report = clean_tables("user_id,item_id\nu,b\nu,a\nu,b\n", mapping=mapping)
    dataset = read_dataset(out)
    assert report.times is None
    assert dropped(report) == {"events_dropped_duplicate": 1}
    assert [dataset.items[row].item_id for row in dataset.rows] == ["b", "a"]
    assert json.loads((out / "dataset.json").read_text())["has_times"] is False
    assert "order of its rows stands for the time" in (out / "report.md").read_text()


def test_the_time_range_is_told_in_utc(clean_tables: CleanTables, out: Path) -> None:
    report = clean_tables("user_id,item_id,at\nu,a,2024-01-01T01:00:00+02:00\nu,b,2024-01-01T10:30:00Z\n")
    assert report.times is not None
    assert report.times.last_at - report.times.first_at == timedelta(hours=11, minutes=30)
    assert "2023-12-31 23:00:00 to 2024-01-01 10:30:00, UTC." in (out / "report.md").read_text()


def test_whole_days_are_told(clean_tables: CleanTables, out: Path) -> None:
    clean_tables("user_id,item_id,at\nu,a,2024-01-01\n")
    assert "Whole days only" in (out / "report.md").read_text()


def test_types_are_counted_most_frequent_first_with_their_weights(clean_tables: CleanTables) -> None:
    report = clean_tables(
        "user_id,item_id,at,type,value\nu,a,2024-01-01,like,\nu,a,2024-01-01,rating,2\nu,b,2024-01-01,rating,5\n"
    )
    assert [(count.type, count.events) for count in report.types] == [("rating", 2), ("like", 1)]
    assert report.types[0].least_weight == pytest.approx(2 / 5)
    assert report.types[0].most_weight == 1.0


def test_ratings_beyond_their_scale_are_counted_and_told(clean_tables: CleanTables, out: Path) -> None:
    report = clean_tables(
        "user_id,item_id,at,type,value\nu,a,2024-01-01,like,9\nu,a,2024-01-01,rating,9\nu,b,2024-01-01,rating,5\n"
    )
    assert {count.type: count.off_scale for count in report.types} == {"rating": 1, "like": 0}
    assert "beyond their scale count" in (out / "report.md").read_text()


def test_the_same_input_gives_the_same_bytes(clean_tables: CleanTables, out: Path) -> None:
    events = "user_id,item_id,at,value\n" + "".join(
        f"u{n % 7},{'ab'[n % 2]},{1704060000 + n},{n % 5}\n" for n in range(999)
    )
    hashes = []
    for _ in range(2):
        clean_tables(events)
        hashes.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()})
    assert hashes[0] == hashes[1]
    assert set(hashes[0]) == {"events.parquet", "items.jsonl", "dataset.json", "report.md", "report.json"}


@pytest.mark.parametrize(
    ("events", "items"),
    [
        ("user_id,item_id,at\nu,b,2024-01-01\n", ITEMS),
        ("user_id,item_id,at\nu,a,2024-01-01T00:00:01\n", ITEMS),
        ("user_id,item_id,at\nu,a,2024-01-01\n", "item_id,title\na,Alien\nb,Brazil!\n"),
    ],
)
def test_other_content_has_another_digest(clean_tables: CleanTables, events: str, items: str) -> None:
    before = clean_tables("user_id,item_id,at\nu,a,2024-01-01\n").digest
    assert clean_tables(events, items).digest != before


@pytest.mark.parametrize(
    ("events", "items", "told"),
    [
        ("user_id,item_id,at\nu,z,2024-01-01\n", ITEMS, r"1 rows of events\.csv: 1 for its item has no row"),
        ("user_id,item_id,at\n", ITEMS, r"0 rows of events\.csv: it has no rows"),
        ("user_id,item_id,at\nu,a,2024-01-01\n", "item_id,title\na,\n", r"1 rows of items\.csv: 1 for no title"),
    ],
)
def test_nothing_left_is_an_error_and_no_empty_data_set(
    clean_tables: CleanTables, out: Path, events: str, items: str, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        clean_tables(events, items)
    assert not out.exists()


def test_recbole_files_are_read_with_the_ready_made_mapping(tmp_path: Path, out: Path) -> None:
    (tmp_path / "x.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n"
    )
    (tmp_path / "x.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "242\tKolya\t1996\tComedy\n1\tToy Story\t1995\tAnimation Children's\n267\tunkonwn\tunkonwn\tunknown\n"
    )
    report = clean(tmp_path / "x.inter", tmp_path / "x.item", MOVIELENS_100K, out, "x")
    dataset = read_dataset(out)
    assert dropped(report) == {"items_dropped_without_text": 1}
    assert [(item.title, item.categories, item.properties) for item in dataset.items] == [
        ("Kolya (1996)", ("Comedy",), {"year": 1996}),
        ("Toy Story (1995)", ("Animation", "Children's"), {"year": 1995}),
    ]
    assert [(count.type, count.events) for count in report.types] == [("rating", 1)]
    assert dataset.weights.tolist() == [pytest.approx(3 / 5)]


def test_benchmark_tables_keep_every_other_column(clean_tables: CleanTables, out: Path) -> None:
    report = clean_tables(
        "user_id,item_id,count,daytime,city\n0,0,3,morning,unknown\n0,1,1,NA,7\n",
        "item_id,title,category,short_description,description,price\n0,Any,Tools,short,long,Free\n1,Two,unknown,short,,unknown\n",
        BENCHMARK,
    )
    dataset = read_dataset(out)
    assert report.context == {"daytime": ("NA", "morning"), "city": ("7", "unknown")}
    assert [(item.categories, item.description, item.properties) for item in dataset.items] == [
        (("Tools",), "long", {"price": "Free"}),
        ((), "short", {}),
    ]
    assert pl.read_parquet(out / "events.parquet")["value"].to_list() == [3.0, 1.0]


def test_the_absent_words_of_a_mapping_are_its_own(clean_tables: CleanTables, out: Path) -> None:
    mapping = ColumnMapping(items=ItemColumns(absent=()))
    clean_tables("user_id,item_id,at\nu,a,2024-01-01\n", "item_id,title\na,unknown\n", mapping)
    assert [item.title for item in read_dataset(out).items] == ["unknown"]
