"""A data set on disk, as `app.offline.dataset` reads it."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from app.catalogue.codec import item_to_json
from app.domain import Item
from app.offline.atomic import replace_text

ABOUT = "dataset.json"


def write_dataset(
    folder: Path,
    name: str,
    events: pl.DataFrame,
    items: Sequence[Item],
    context: Mapping[str, Sequence[str]],
    *,
    has_times: bool,
) -> str:
    """Write the three files and give the digest. context: feature -> its values.

    `dataset.json` is taken away first and written last, so that a folder cut short is no data set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    item_lines = "".join(item_to_json(item) + "\n" for item in items)
    replace_text(folder / "items.jsonl", item_lines)
    events.write_parquet(folder / "events.parquet")
    about = {
        "name": name,
        "digest": digest_of(events, item_lines),
        "n_users": events["user_id"].n_unique(),
        "n_items": len(items),
        "n_events": len(events),
        "context": context,
        "has_times": has_times,
    }
    replace_text(folder / ABOUT, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    return str(about["digest"])


def digest_of(events: pl.DataFrame, item_lines: str) -> str:
    """SHA-256 of the content: the events as CSV, then the items' lines. Another Parquet writer makes no difference."""
    csv = io.BytesIO()
    events.write_csv(csv)
    digest = hashlib.sha256(csv.getbuffer())
    digest.update(item_lines.encode())
    return digest.hexdigest()
