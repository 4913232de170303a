"""A cleaned data set into the durable store, so that the server knows its users. Loading twice changes nothing."""

from pathlib import Path

import polars as pl
from rich.progress import Progress

from app.catalogue.store import CatalogueStore
from app.domain import Event, EventId
from app.history.store import HistoryStore
from app.offline.dataset import CONTEXT_PREFIX, TAKEN_IN, read_items
from app.storage.database import open_database

BATCH = 5_000
TOLD = ("user_id", "item_id", "type", "at", "value", *TAKEN_IN)
"""Columns that an event has fields for, of the same names."""


async def load_dataset(folder: Path, name: str, database_url: str, progress: Progress) -> tuple[int, int]:
    """Store the items and events of `folder`; give how many of each were new.

    Event ids are "<name>:<line of the cleaned table>", the same at every load.
    """
    database = open_database(database_url)
    try:
        n_items = await CatalogueStore(database).seed(read_items(folder))
        histories, n_events = HistoryStore(database), 0
        table = pl.read_parquet(folder / "events.parquet")
        for start in progress.track(range(0, len(table), BATCH), description="loading events"):
            events = to_events(name, table.slice(start, BATCH), start)
            n_events += len((await histories.append(events)).stored)
        return n_items, n_events
    finally:
        await database.close()


def to_events(name: str, table: pl.DataFrame, first: int = 0) -> list[Event]:
    """Rows of `events.parquet` as events. first: number of the first of them, for the ids."""
    told = [column for column in TOLD if column in table.columns]
    features = {c.removeprefix(CONTEXT_PREFIX): c for c in table.columns if c.startswith(CONTEXT_PREFIX)}
    return [
        Event(
            EventId(f"{name}:{line}"),
            **{column: row[column] for column in told},
            features={feature: row[column] for feature, column in features.items() if row[column] is not None},
        )
        for line, row in enumerate(table.select(*told, *features.values()).iter_rows(named=True), first)
    ]
