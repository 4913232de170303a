"""A cleaned data set in memory: items in row order, events sorted by user and time.

Written by `app.offline.clean`, read by every later job. On disk it is a folder: `events.parquet`, `items.jsonl`,
`dataset.json` (name, digest, counts, context features), `report.md` and `report.json`.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from app.catalogue.codec import item_from_json
from app.domain import FloatArray, IntArray, Item
from app.errors import DataError

CONTEXT_PREFIX = "context_"
TAKEN_IN = ("dwell_s", "completion")
"""Columns of `events.parquet` that are there where the source told of any: how much of an item was taken in."""
FILES = ("dataset.json", "events.parquet", "items.jsonl")


@dataclass(frozen=True)
class Dataset:
    """E events of U users on N items. Events are ordered by user, then time, then their order in the source.

    users, rows: (E,) int64, positions in `user_ids` and `items`. at_s: (E,) int64 Unix seconds. weights: (E,) float32,
    see `app.history.weights`. context: feature name -> (E,) array of str, "" where not given.
    has_times: False where the source had no clock and `at_s` only keeps its order.
    repeats: True where having had an item is no reason not to be shown it again: rankings then keep what was seen.
    known_until: (U,) positions at which histories end, whatever is asked for; None: every event before a question is
    its history (see `app.offline.split.shuffle`).
    """

    name: str
    digest: str
    items: tuple[Item, ...]
    user_ids: tuple[str, ...]
    users: IntArray
    rows: IntArray
    at_s: IntArray
    weights: FloatArray
    context: dict[str, np.ndarray]
    has_times: bool = True
    repeats: bool = False
    known_until: IntArray | None = None

    @property
    def n_items(self) -> int:
        return len(self.items)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @cached_property
    def starts(self) -> IntArray:
        """(U + 1,) int64: the events of user u are positions starts[u] to starts[u + 1]."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.users, minlength=self.n_users))]).astype(np.int64)


def read_dataset(folder: Path) -> Dataset:
    """Load what `clean` wrote. Raises DataError where the folder is not a cleaned data set."""
    for name in FILES:
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is missing: run `penchant data clean` first")
    try:
        about = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        events = pl.read_parquet(folder / "events.parquet")
        items = read_items(folder)
    except (ValueError, KeyError, pl.exceptions.PolarsError) as damaged:
        raise DataError(f"{folder} is damaged ({damaged}): run `penchant data clean` again") from damaged
    user_ids, users = np.unique(events["user_id"].to_numpy(), return_inverse=True)
    at_us = events["at"].dt.epoch("us").to_numpy()  # the order within a second counts, though `at_s` drops it
    order = np.lexsort((at_us, users))
    names = [name for name in events.columns if name.startswith(CONTEXT_PREFIX)]
    return Dataset(
        name=about["name"],
        digest=about["digest"],
        items=items,
        user_ids=tuple(user_ids.tolist()),
        users=users[order].astype(np.int64),
        rows=_rows_of(events, items)[order],
        at_s=(at_us // 1_000_000)[order],
        weights=events["weight"].to_numpy().astype(np.float32)[order],
        context={n.removeprefix(CONTEXT_PREFIX): events[n].fill_null("").to_numpy()[order] for n in names},
        has_times=about["has_times"],
    )


def read_items(folder: Path) -> tuple[Item, ...]:
    """The items alone, in row order."""
    with (folder / "items.jsonl").open(encoding="utf-8") as lines:
        return tuple(item_from_json(line) for line in lines)


def _rows_of(events: pl.DataFrame, items: tuple[Item, ...]) -> IntArray:
    row_of = {item.item_id: row for row, item in enumerate(items)}
    try:
        return np.fromiter((row_of[item_id] for item_id in events["item_id"]), np.int64, len(events))
    except KeyError as unknown:
        raise DataError(
            f"events name the item {unknown} that items.jsonl lacks: run `penchant data clean` again"
        ) from unknown
