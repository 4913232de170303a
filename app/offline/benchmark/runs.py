"""What a cell of the benchmark found, as one small JSON file that is committed.

It holds the rank of every question's target, so that means, slices and paired intervals over any set of runs are made
from runs alone, without data, models or the time they took.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from app.domain import BoolArray, IntArray
from app.errors import DataError
from app.offline.atomic import replace_text
from app.offline.metrics import UNRANKED

MOST = np.iinfo(np.uint16).max
LINE = 120


@dataclass(frozen=True, slots=True)
class Cell:
    """data: short name, as figures begin with ("ml1m"). split: a value of `Protocol`. contestant: who ranks."""

    data: str
    split: str
    contestant: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.data}.{self.split}.{self.contestant}.{self.seed}"


@dataclass(frozen=True)
class Run:
    """ranks: (Q,) of the test questions, see `app.offline.metrics`; past 65,534 they are kept as UNRANKED.

    figures: what cannot be made from ranks (coverage10, ild10, ...). arguments: what validation chose, or the recipe.
    curves: validation NDCG@10 epoch by epoch, by block. validation_ndcg10: of what was chosen.
    """

    cell: Cell
    ranks: IntArray
    figures: Mapping[str, float]
    arguments: Mapping[str, float]
    validation_ndcg10: float
    recipe: str
    commit: str
    machine: str
    cpu_s: float
    peak_memory_bytes: int
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Questions:
    """The test questions of one data set and split.

    users: (Q,) whose each is, in any numbers. slices: name -> (Q,) mask. counts: what the report says of them.
    """

    data: str
    split: str
    n_questions: int
    users: IntArray
    slices: Mapping[str, BoolArray]
    counts: Mapping[str, int]


def write_run(folder: Path, run: Run) -> None:
    """<folder>/<cell>.json, replaced whole."""
    about = {name: value for name, value in asdict(run).items() if name != "ranks"}
    about["ranks"] = _pack(np.minimum(run.ranks, MOST).astype(np.uint16))
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(run_path(folder, run.cell), json.dumps(about, indent=1, sort_keys=True) + "\n")


def read_run(path: Path) -> Run:
    """Raises DataError where the file is none of ours."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        ranks = _unpack(about.pop("ranks"), np.uint16).astype(np.int64)
        cell = Cell(**about.pop("cell"))
        return Run(cell=cell, ranks=np.where(ranks == MOST, UNRANKED, ranks), **about)
    except (ValueError, KeyError, TypeError, zlib.error) as damaged:
        raise DataError(f"{path} is not a run of this benchmark ({damaged}): delete it and run the cell again") from (
            damaged
        )


def run_path(folder: Path, cell: Cell) -> Path:
    return folder / f"{cell.name}.json"


def write_questions(folder: Path, questions: Questions) -> None:
    """<folder>/questions/<data>.<split>.json"""
    about: dict[str, object] = {
        "data": questions.data,
        "split": questions.split,
        "n_questions": questions.n_questions,
        "counts": dict(questions.counts),
        "slices": {name: _pack(np.packbits(inside)) for name, inside in questions.slices.items()},
    }
    if len(np.unique(questions.users)) < questions.n_questions:  # else they say nothing
        about["users"] = _pack(questions.users.astype(np.uint32))
    path = folder / "questions" / f"{questions.data}.{questions.split}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, json.dumps(about, indent=1, sort_keys=True) + "\n")


def read_questions(path: Path) -> Questions:
    about = json.loads(path.read_text(encoding="utf-8"))
    n = about["n_questions"]
    slices = {
        name: np.unpackbits(_unpack(bits, np.uint8), count=n).astype(np.bool_) for name, bits in about["slices"].items()
    }
    users = _unpack(about["users"], np.uint32).astype(np.int64) if "users" in about else np.arange(n)
    return Questions(about["data"], about["split"], n, users, slices, about["counts"])


def _pack(array: np.ndarray) -> list[str]:
    """Compressed, in lines short enough to look at a diff."""
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    return [text[start : start + LINE] for start in range(0, len(text), LINE)]


def _unpack(lines: Sequence[str], dtype: type) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode("".join(lines))), dtype=dtype)
