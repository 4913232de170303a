from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from app.domain import Item, ItemId
from app.errors import DataError
from app.offline.dataset import read_dataset
from app.offline.dataset_folder import write_dataset

EVENTS = pl.DataFrame(
    {
        "user_id": ["u"],
        "item_id": ["a"],
        "type": ["view"],
        "at": pl.Series([datetime(2024, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC")),
        "value": pl.Series([None], dtype=pl.Float32),
        "weight": pl.Series([0.2], dtype=pl.Float32),
    }
)
ITEM = Item(ItemId("a"), "Alien")


def write(folder: Path, events: pl.DataFrame = EVENTS, name: str = "tiny") -> str:
    return write_dataset(folder, name, events, [ITEM], {}, has_times=True)


def test_a_folder_cut_short_is_no_data_set(tmp_path: Path) -> None:
    write(tmp_path)
    unwritable = EVENTS.with_columns(value=pl.lit(object(), dtype=pl.Object))
    with pytest.raises(pl.exceptions.ComputeError):
        write(tmp_path, unwritable)
    with pytest.raises(DataError, match=r"dataset\.json is missing"):
        read_dataset(tmp_path)


def test_the_digest_is_of_the_content_and_not_of_the_name(tmp_path: Path) -> None:
    assert write(tmp_path / "x", name="x") == write(tmp_path / "y", name="y")


def test_a_missing_value_differs_from_zero_in_the_digest(tmp_path: Path) -> None:
    zero = EVENTS.with_columns(value=pl.lit(0.0, pl.Float32))
    assert write(tmp_path / "x") != write(tmp_path / "y", zero)
