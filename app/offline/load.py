"""A cleaned data set into the durable store, so that the server knows its users. Loading twice changes nothing."""

from pathlib import Path

import polars as pl
from rich.progress import Progress

from app.catalogue.codec import item_from_json
from app.catalogue.store import CatalogueStore
from app.domain import Event, EventId, ItemId, UserId
from app.history.store import HistoryStore
from app.storage.database import open_database

BATCH = 5_000


async def load_dataset(folder: Path, name: str, database_url: str, progress: Progress) -> tuple[int, int]:
    """Store the items and events of `folder`; give how many of each were new.

    Event ids are "<name>:<line of the cleaned table>", the same at every load.
    """
    database = open_database(database_url)
    try:
        with (folder / "items.jsonl").open() as lines:
            n_items = await CatalogueStore(database).seed([item_from_json(line) for line in lines])
        histories, n_events = HistoryStore(database), 0
        table = pl.read_parquet(folder / "events.parquet")
        for start in progress.track(range(0, len(table), BATCH), description="loading events"):
            events = [to_event(name, start + line, row) for line, row in enumerate(_rows(table, start))]
            n_events += len((await histories.append(events)).stored)
        return n_items, n_events
    finally:
        await database.close()


def _rows(table: pl.DataFrame, start: int) -> list[tuple[object, ...]]:
    return table.slice(start, BATCH).select("user_id", "item_id", "type", "at", "value").rows()


def to_event(name: str, line: int, row: tuple[object, ...]) -> Event:
    user_id, item_id, event_type, at, value = row
    return Event(
        event_id=EventId(f"{name}:{line}"),
        user_id=UserId(str(user_id)),
        item_id=ItemId(str(item_id)),
        type=str(event_type),
        at=at,  # type: ignore[arg-type]  # an aware datetime: the column's type says so
        value=None if value is None else float(value),  # type: ignore[arg-type]
    )
