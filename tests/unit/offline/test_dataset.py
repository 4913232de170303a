from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hand_made import dataset_of

from app.domain import Item, ItemId
from app.errors import DataError
from app.offline.dataset import read_dataset
from app.offline.dataset_folder import write_dataset

START = datetime(2024, 1, 1, tzinfo=UTC)
ITEMS = [Item(ItemId("a"), "Amélie"), Item(ItemId("b"), "Brazil", ("Drama",))]


def write(folder: Path, *events: tuple[str, str, float], items: list[Item] = ITEMS) -> Path:
    """events: (user, item, second)."""
    frame = pl.DataFrame(
        {
            "user_id": [user for user, _, _ in events],
            "item_id": [item for _, item, _ in events],
            "type": ["view"] * len(events),
            "at": pl.Series([START + timedelta(seconds=s) for _, _, s in events], dtype=pl.Datetime("us", "UTC")),
            "value": pl.Series([None] * len(events), dtype=pl.Float32),
            "weight": pl.Series([0.2 * n for n in range(len(events))], dtype=pl.Float32),
            "context_place": ["home", None, *["work"] * len(events)][: len(events)],
        }
    )
    write_dataset(folder, "tiny", frame, items, {"place": ("home", "work")}, has_times=True)
    return folder


def test_events_come_back_by_user_then_time_then_source_order(tmp_path: Path) -> None:
    data = read_dataset(write(tmp_path, ("u2", "a", 5), ("u1", "b", 9), ("u1", "a", 9), ("u1", "a", 3)))
    assert data.user_ids == ("u1", "u2")
    assert data.users.tolist() == [0, 0, 0, 1]
    assert data.rows.tolist() == [0, 1, 0, 0]
    assert (data.at_s - int(START.timestamp())).tolist() == [3, 9, 9, 5]
    assert data.weights == pytest.approx([0.6, 0.2, 0.4, 0.0])
    assert data.context["place"].tolist() == ["work", "", "work", "home"]


def test_events_within_one_second_keep_their_order_in_time(tmp_path: Path) -> None:
    data = read_dataset(write(tmp_path, ("u", "a", 1.7), ("u", "b", 1.2)))
    assert data.rows.tolist() == [1, 0]
    assert (data.at_s - int(START.timestamp())).tolist() == [1, 1]


def test_items_come_back_in_row_order_whatever_their_letters(tmp_path: Path) -> None:
    data = read_dataset(write(tmp_path, ("u", "a", 0)))
    assert data.items == tuple(ITEMS)
    assert (data.n_items, data.n_users, data.name) == (2, 1, "tiny")


def test_starts_bound_the_events_of_each_user() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1)], "bob": [("c", 0)]})
    assert data.starts.tolist() == [0, 2, 3]


@pytest.mark.parametrize("name", ["dataset.json", "events.parquet", "items.jsonl"])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, ("u", "a", 0))
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=name):
        read_dataset(tmp_path)


@pytest.mark.parametrize("name", ["dataset.json", "events.parquet", "items.jsonl"])
def test_damaged_file_is_a_data_error(tmp_path: Path, name: str) -> None:
    write(tmp_path, ("u", "a", 0))
    (tmp_path / name).write_text("{broken")
    with pytest.raises(DataError, match="damaged"):
        read_dataset(tmp_path)


def test_event_on_an_item_that_is_not_listed_is_a_data_error(tmp_path: Path) -> None:
    write(tmp_path, ("u", "a", 0), ("u", "b", 1), items=ITEMS[:1])
    with pytest.raises(DataError, match="item 'b' that"):
        read_dataset(tmp_path)


def test_arrays_have_the_types_that_were_promised(tmp_path: Path) -> None:
    data = read_dataset(write(tmp_path, ("u", "a", 0)))
    assert {data.users.dtype, data.rows.dtype, data.at_s.dtype, data.starts.dtype} == {np.dtype(np.int64)}
    assert data.weights.dtype == np.float32
