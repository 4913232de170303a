"""Tiny stand-ins where the offline jobs look for what they would fetch, stamped as if it had been fetched.

So a job runs as it stands, by its own command, without a network and in seconds.
"""

import shutil
from pathlib import Path

from tiny import tiny_events, tiny_items

from app.offline.sources import ALL_MINILM_L6_V2, MOVIELENS_100K, WheelSource
from app.offline.wheel import _stamp_path, _stamp_text


def stand_in_base_model(data_dir: Path, model: Path) -> None:
    _stamp(ALL_MINILM_L6_V2, Path(shutil.copytree(model, data_dir / "base_models/all-MiniLM-L6-v2")))


def stand_in_movielens(data_dir: Path) -> None:
    """The tiny data set in MovieLens' form."""
    folder = data_dir / "raw/ml-100k"
    folder.mkdir(parents=True)
    told = [
        f"{user}\t{item}\t{value:.0f}\t{at.timestamp():.0f}"
        for user, item, value, at in tiny_events().select("user_id", "item_id", "value", "at").rows()
    ]
    films = [
        f"{item.item_id}\t{item.title}\t{item.properties['year']}\t{' '.join(item.categories)}" for item in tiny_items()
    ]
    _write(folder / "ml-100k.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float", told)
    _write(folder / "ml-100k.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq", films)
    _stamp(MOVIELENS_100K, folder)


def _write(path: Path, head: str, lines: list[str]) -> None:
    path.write_text("\n".join([head, *lines]) + "\n")


def _stamp(source: WheelSource, folder: Path) -> None:
    _stamp_path(folder).write_text(_stamp_text(source, folder), encoding="utf-8")
