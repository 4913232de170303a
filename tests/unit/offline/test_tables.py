import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from app.errors import DataError
from app.offline.columns import EventColumns
from app.offline.tables import NOT_READ, open_table, resolve_roles

ROWS = pl.DataFrame({"user_id": ["1", "02"], "note": ["NA", 'a "b"']})


def write_tsv(path: Path) -> None:
    path.write_text('user_id\tnote\n1\tNA\n02\ta "b"\n')


def write_csv(path: Path) -> None:
    path.write_text('user_id,note\n1,NA\n02,"a ""b"""\n')


def write_jsonl(path: Path) -> None:
    ROWS.write_ndjson(path)


def write_parquet(path: Path) -> None:
    ROWS.write_parquet(path)


WRITERS = {".tsv": write_tsv, ".inter": write_tsv, ".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}


@pytest.mark.parametrize(("suffix", "write"), WRITERS.items())
def test_every_form_gives_the_same_text(tmp_path: Path, suffix: str, write: Callable[[Path], None]) -> None:
    path = tmp_path / f"t[1]{suffix}"
    write(path)
    table = open_table(path)
    assert table.read(user_id=table.text(["user_id"]), note=table.text(["note"])).equals(ROWS)


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".jsonl"])
def test_text_forms_are_read_from_gzip_too(tmp_path: Path, suffix: str) -> None:
    WRITERS[suffix](tmp_path / "t")
    path = tmp_path / f"t{suffix}.gz"
    path.write_bytes(gzip.compress((tmp_path / "t").read_bytes()))
    assert open_table(path).read("user_id", "note").equals(ROWS)


def test_only_what_is_typed_says_so(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv")
    write_parquet(tmp_path / "t.parquet")
    assert (open_table(tmp_path / "t.csv").is_typed, open_table(tmp_path / "t.parquet").is_typed) == (False, True)


def test_text_takes_the_first_column_that_has_a_value(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n ,3\n,\n")
    table = open_table(tmp_path / "t.csv")
    assert table.read(x=table.text(["a", "b"]))["x"].to_list() == ["1", "3", None]


def test_text_of_no_column_is_null(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    table = open_table(tmp_path / "t.csv")
    assert table.read(pl.col("a"), x=table.text([]))["x"].to_list() == [None]


def test_whole_floats_are_ids_without_a_point(tmp_path: Path) -> None:
    pl.DataFrame({"id": [12.0, None, 2.5]}).write_parquet(tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet")
    assert table.read(x=table.text(["id"]))["x"].to_list() == ["12", None, "2.5"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.xls", b"x", r"t\.xls is of no form we read"),
        ("t.csv", b"", r"t\.csv cannot be read"),
        ("t.csv", b"user_id\n\xe9\n", r"t\.csv cannot be read: invalid utf-8"),
        ("t.csv", b"user_id\n1,2\n", r"t\.csv cannot be read: found more fields"),
        ("t.jsonl", b'{"user_id":\n', r"t\.jsonl cannot be read"),
        ("t.parquet", b"PAR1", r"t\.parquet cannot be read"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=told):
        open_table(tmp_path / name).read("user_id")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no table at .*t\.csv"):
        open_table(tmp_path / "t.csv")


def test_roles_find_their_columns_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("item_id,user_id,at,device,junk\n")
    roles = resolve_roles(open_table(tmp_path / "t.csv"), EventColumns(context=("device",)))
    assert roles == {
        "user_id": ("user_id",),
        "item_id": ("item_id",),
        "at": ("at",),
        "type": (),
        "value": (),
        "rating": (),
        "dwell_s": (),
        "completion": (),
        "context": ("device",),
        NOT_READ: ("junk",),
    }


def test_a_star_takes_every_column_without_another_role(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("item_id,user_id,at,device,store\n")
    roles = resolve_roles(open_table(tmp_path / "t.csv"), EventColumns(context="*"))
    assert (roles["context"], roles[NOT_READ]) == (("device", "store"), ())


def test_a_star_at_the_end_takes_the_columns_that_begin_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("item_id,user_id,at,context_device,store,context\n")
    table = open_table(tmp_path / "t.csv")
    assert resolve_roles(table, EventColumns())["context"] == ("context_device",)
    named = EventColumns(context=("store", "context_*", "context_device"))
    assert resolve_roles(table, named)["context"] == ("store", "context_device")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (EventColumns(user_id=("who",)), "has no column who for user_id; it has item_id, user_id"),
        (EventColumns(), "row_order_is_time"),
        (EventColumns(at=()), "none is named"),
        (EventColumns(row_order_is_time=True, context=("device",)), "has no column device for context"),
    ],
)
def test_a_role_without_a_column_says_what_there_is(tmp_path: Path, columns: EventColumns, told: str) -> None:
    (tmp_path / "t.csv").write_text("item_id,user_id\n")
    with pytest.raises(DataError, match=told):
        resolve_roles(open_table(tmp_path / "t.csv"), columns)
