from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from app.errors import DataError
from app.offline.properties import read_properties
from app.offline.tables import open_table


def of_csv(folder: Path, *values: str) -> list[object]:
    """The column `p` of a text table with these values."""
    (folder / "t.csv").write_text("p,other\n" + "".join(f"{value},x\n" for value in values))
    values_read: list[object] = read_properties(open_table(folder / "t.csv"), ["p"], absent=["unknown"])["p"].to_list()
    return values_read


def of_parquet(folder: Path, frame: pl.DataFrame) -> pl.DataFrame:
    frame.write_parquet(folder / "t.parquet")
    return read_properties(open_table(folder / "t.parquet"), frame.columns, absent=["unknown"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1995", "", "-3"], [1995, None, -3]),
        (["4.5", "4", "4.0", "unknown"], [4.5, 4.0, 4.0, None]),
        (["007", "12"], ["007", "12"]),
        (["1.10", "1.2"], ["1.10", "1.2"]),
        (["1e5", "2"], ["1e5", "2"]),
        (["NaN", "1.5"], ["NaN", "1.5"]),
        (["Free", "1"], ["Free", "1"]),
        (["Tom &amp; Jerry", " "], ["Tom & Jerry", None]),
        (["true", "", "false"], [True, None, False]),
        (["true", "maybe"], ["true", "maybe"]),
        (["", ""], [None, None]),
    ],
)
def test_a_text_column_is_numbers_or_truth_values_only_where_nothing_is_lost(
    tmp_path: Path, values: list[str], expected: list[object]
) -> None:
    assert of_csv(tmp_path, *values) == expected


def test_typed_text_stays_text(tmp_path: Path) -> None:
    assert of_parquet(tmp_path, pl.DataFrame({"p": ["1995", "unknown"]}))["p"].to_list() == ["1995", None]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pl.Series("p", [1.5, float("nan"), float("inf")]), [1.5, None, None]),
        (pl.Series("p", [True, None]), [True, None]),
        (pl.Series("p", [Decimal("1.25")]), [1.25]),
        (pl.Series("p", [datetime(2024, 1, 1, 10)]), ["2024-01-01T10:00:00.000000"]),  # noqa: DTZ001 - a naive column
        (pl.Series("p", ["a"], dtype=pl.Categorical), ["a"]),
        (pl.Series("p", [["a &amp; b", "unknown"], [], None]), [["a & b", None], None, None]),
        (pl.Series("p", [[1.5, float("nan")]]), [[1.5, None]]),
    ],
)
def test_typed_values_become_what_json_can_say(tmp_path: Path, column: pl.Series, expected: list[object]) -> None:
    assert of_parquet(tmp_path, column.to_frame())["p"].to_list() == expected


def test_a_record_gives_a_column_for_each_field(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"p": {"year": 1995, "tags": ["a"]}}\n{"p": {"studio": "X"}}\n{"p": {}}\n')
    properties = read_properties(open_table(tmp_path / "t.jsonl"), ["p"], absent=[])
    assert properties.to_dicts() == [
        {"year": 1995, "tags": ["a"], "studio": None},
        {"year": None, "tags": None, "studio": "X"},
        {"year": None, "tags": None, "studio": None},
    ]


def test_no_name_gives_no_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("p\n1\n")
    assert read_properties(open_table(tmp_path / "t.csv"), [], absent=[]).columns == []


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pl.DataFrame({"p": [{"q": {"r": 1}}]}), r"column q \(Struct.*flatten it"),
        (pl.DataFrame({"p": [[[1]]]}), r"column p \(List.*flatten it"),
        (pl.DataFrame({"p": [b"x"]}), r"column p \(Binary.*flatten it"),
        (pl.DataFrame({"p": [{"q": 1}], "q": [2]}), "a field of p has the name of another column"),
    ],
)
def test_what_cannot_be_a_property_is_refused(tmp_path: Path, frame: pl.DataFrame, told: str) -> None:
    with pytest.raises(DataError, match=told):
        of_parquet(tmp_path, frame)
