"""The live log as tables to train on: events as Parquet, items as JSON lines. `penchant data clean` reads both."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import polars as pl

from app.catalogue.codec import item_to_fields
from app.catalogue.store import CatalogueStore
from app.history.features import from_text
from app.offline.atomic import replace_text
from app.offline.dataset import CONTEXT_PREFIX
from app.offline.times import UTC_MICROSECONDS
from app.storage.database import Database, open_database

PAGE = 50_000
SCHEMA = {
    "event_id": pl.String,
    "user_id": pl.String,
    "item_id": pl.String,
    "type": pl.String,
    "at": pl.Int64,
    "value": pl.Float64,
    "dwell_s": pl.Float64,
    "completion": pl.Float64,
    "slate_id": pl.String,
}
CONTEXT = "coalesce(context, slate_context)"
"""JSON, written as a column for each feature."""
_EVENTS = f"SELECT seq, {', '.join(SCHEMA)}, {CONTEXT} FROM events WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608


async def export_events(database_url: str, events_path: Path, items_path: Path | None) -> tuple[int, int]:
    """Write every stored event, in the order of arrival, and every item; give how many of each.

    events_path: Parquet, `at` in UTC, features of the context as columns context_<name>. items_path: JSON lines, None
    for none. Neither is there before it is whole.
    """
    database = open_database(database_url)
    try:
        frame = _read_events(database)
        events_path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = events_path.with_name(f".{events_path.name}.unfinished")
        frame.write_parquet(unfinished)
        unfinished.replace(events_path)
        lines = (
            [json.dumps(fields, ensure_ascii=False) + "\n" async for fields in _items(database)] if items_path else []
        )
        if items_path is not None:
            replace_text(items_path, "".join(lines))
        return len(frame), len(lines)
    finally:
        await database.close()


def _read_events(database: Database) -> pl.DataFrame:
    schema = SCHEMA | {CONTEXT: pl.String}
    pages, last = [pl.DataFrame(schema=schema)], 0
    while rows := database.read(_EVENTS, (last, PAGE)):
        pages.append(pl.DataFrame([row[1:] for row in rows], schema=schema, orient="row"))
        last = rows[-1][0]
    return _spread_context(pl.concat(pages)).with_columns(pl.col("at").cast(UTC_MICROSECONDS))


def _spread_context(events: pl.DataFrame) -> pl.DataFrame:
    """Each distinct text is read once: there are few, however many events."""
    texts = events[CONTEXT].drop_nulls().unique().to_list()
    told = [dict(from_text(text)) for text in texts]
    features = {
        CONTEXT_PREFIX + name: pl.Series([each.get(name) for each in told], dtype=pl.String)
        for name in sorted(set().union(*told))
    }
    table = pl.DataFrame({CONTEXT: pl.Series(texts, dtype=pl.String), **features})
    return events.join(table, on=CONTEXT, how="left", maintain_order="left").drop(CONTEXT)


async def _items(database: Database) -> AsyncIterator[dict[str, Any]]:
    """Without what is no property of theirs: whether they are shown at the moment."""
    async for page in CatalogueStore(database).pages():
        for item in page:
            fields = item_to_fields(item)
            fields.pop("hidden", None)
            yield fields
