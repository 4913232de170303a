"""What the pages' examples run against: a film catalogue of our own with MovieLens' ids, and a bundle trained on it.

Nothing of MovieLens is in it but the form: items "1" to "1682" with its genres and years, users "1" to "60".
"""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress
from tiny import ADJECTIVES, TINY, build_tiny

from app.domain import Item, ItemId
from app.history.weights import event_weight
from app.offline.dataset import read_dataset
from app.offline.dataset_folder import write_dataset
from app.offline.load import load_dataset
from app.offline.workshop import Models

GENRES = ("Animation", "Children's", "Comedy", "Crime", "Drama", "Horror", "Romance", "Sci-Fi", "Thriller", "War")
N_ITEMS, N_USERS = 1_682, 60
DEVICES = ("phone", "tv", None)
QUICK = dataclasses.replace(TINY, text_epochs=1, id_epochs=2)


def films() -> list[Item]:
    rng = np.random.default_rng(0)
    return [_film(number, rng) for number in range(1, N_ITEMS + 1)]


def _film(number: int, rng: np.random.Generator) -> Item:
    genres = tuple(str(genre) for genre in rng.choice(GENRES, rng.integers(1, 3), replace=False))
    year = int(rng.integers(1930, 1999))
    adjective = ADJECTIVES[rng.integers(len(ADJECTIVES))]
    title = f"{adjective} {genres[0].lower()} story {number} ({year})".capitalize()
    return Item(ItemId(str(number)), title, genres, properties={"year": year})


def ratings() -> pl.DataFrame:
    """Users who keep to two genres."""
    rng = np.random.default_rng(0)
    catalogue = films()
    rows = []
    for user in range(1, N_USERS + 1):
        liked = rng.choice(GENRES, 2, replace=False)
        choice = [film.item_id for film in catalogue if liked[0] in film.categories or liked[1] in film.categories]
        at = datetime(2024, 1, 1, 8, tzinfo=UTC)
        for item_id in rng.choice(choice, 24, replace=False):
            at += timedelta(minutes=int(rng.integers(1, 3_000)))
            rows.append((str(user), str(item_id), "rating", at, float(rng.integers(3, 6)), DEVICES[rng.integers(3)]))
    columns = ("user_id", "item_id", "type", "at", "value", "context_device")
    weights = pl.Series([event_weight("rating", row[4]) for row in rows], dtype=pl.Float32)
    table = pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.col("at").cast(pl.Datetime("us", "UTC")), pl.col("value").cast(pl.Float32), weight=weights
    )
    return table.select(*columns[:5], "weight", "context_device")


def prepare(folder: Path, models: Models) -> tuple[Path, Path]:
    """Bundle and data folder, as `penchant demo` leaves them: beside the bundle lies another."""
    data, devices = folder / "data", {"device": ("phone", "tv")}
    write_dataset(data, "films", ratings(), films(), devices, has_times=True)
    bundle, _ = (build_tiny(read_dataset(data), models, folder, QUICK, seed) for seed in (0, 1))
    kept = folder / "var"
    kept.mkdir()
    database = f"sqlite:///{kept / 'penchant.sqlite3'}"
    asyncio.run(load_dataset(data, "films", database, Progress(disable=True)))
    return bundle, kept
