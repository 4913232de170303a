"""From a data set to a sealed bundle: split, fine-tune, write, ask the golden queries, seal, put in place."""

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress

from app.bundle import FORMAT, MANIFEST, Bundle, Manifest, open_bundle, seal
from app.errors import DataError
from app.golden import write_golden
from app.offline.atomic import replace_text
from app.offline.dataset import Dataset
from app.offline.finetune import Curves, finetune
from app.offline.learning_curve import draw_learning_curve
from app.offline.recipes import Recipe
from app.offline.refresh import Earlier
from app.offline.split import Protocol, split
from app.offline.training_cost import Stopwatch
from app.offline.workshop import Models, Workshop
from app.trained import Trained, load_trained, save_trained

GOLDEN_HISTORIES = 4
GOLDEN_EVENTS = 20
GOLDEN_WORDS = ("something light for tonight", "slow and thoughtful")


@dataclasses.dataclass(frozen=True)
class Run:
    """All that decides what a training run gives. Same run, same machine kind and thread count: same bytes."""

    dataset: Dataset
    protocol: Protocol
    recipe: Recipe
    models: Models
    seed: int
    earlier: Bundle | None = None  # to go on from

    @property
    def key(self) -> str:
        """Twelve hex digits that name this run's work folder. Another format of bundles is another run: what an older
        program finished cannot be opened any more."""
        about = [
            FORMAT,
            self.dataset.digest,
            self.protocol,
            self.recipe.as_dict(),
            self.models.text.name,
            self.models.user.name,
            self.seed,
            *([self.earlier.version] if self.earlier else []),
        ]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]


def build_bundle(
    run: Run, artifacts: Path, work: Path, *, device: torch.device, progress: Progress
) -> tuple[Path, Manifest]:
    """Train `run` and put its bundle at artifacts/<version>; a finished run is found and not trained again.

    work: where runs keep their checkpoints, one folder each, emptied when the bundle is in place.
    """
    folder = work / run.key
    if (found := _find_finished(folder, artifacts)) is not None:
        return found
    stopwatch = Stopwatch()
    divided = split(run.dataset, run.protocol)
    earlier = _read_earlier(run, device)
    workshop = Workshop(run.dataset, divided, run.recipe, run.models, folder, run.seed, device, progress, earlier)
    trained, curves = finetune(workshop)
    unsealed = folder / "bundle"
    shutil.rmtree(unsealed, ignore_errors=True)
    unsealed.mkdir()
    save_trained(unsealed, trained)
    _write_curves(unsealed, curves)
    about = _about(run, trained)
    seal(unsealed, about)  # once without golden queries, so that these are asked of what is read back from disk
    write_golden(unsealed, load_trained(open_bundle(unsealed), torch.device("cpu")), _golden_questions(run.dataset))
    stopwatch.read().write(unsealed)
    manifest = seal(unsealed, about)
    target = artifacts / manifest.version
    shutil.rmtree(target, ignore_errors=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    unsealed.rename(target)
    _forget_work(folder, manifest.version)
    return target, manifest


def point_current(link: Path, bundle: Path) -> None:
    """Make `link` (artifacts/current) lead to `bundle`, in one step."""
    partial = link.with_name(f"{link.name}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(os.path.relpath(bundle.resolve(), link.parent.resolve()), target_is_directory=True)
    partial.replace(link)


def _find_finished(folder: Path, artifacts: Path) -> tuple[Path, Manifest] | None:
    done = folder / "version"
    if not done.is_file() or not (artifacts / done.read_text() / MANIFEST).is_file():
        return None
    bundle = open_bundle(artifacts / done.read_text())
    return bundle.folder, bundle.manifest


def _read_earlier(run: Run, device: torch.device) -> Earlier | None:
    """Raises DataError where that bundle was made by another recipe."""
    if run.earlier is None:
        return None
    recipe = run.earlier.manifest.recipe
    if recipe != run.recipe.name:
        raise DataError(
            f"bundle {run.earlier.version} was made by the recipe {recipe}, not {run.recipe.name}: go on with its own"
        )
    return Earlier(load_trained(run.earlier, device), run.earlier.version, run.dataset.items)


def _forget_work(folder: Path, version: str) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    replace_text(folder / "version", version)


def _about(run: Run, trained: Trained) -> dict[str, object]:
    shape = trained.space.shape
    return {
        "dataset": run.dataset.name,
        "dataset_digest": run.dataset.digest,
        "text_model": run.models.text.name,
        "user_model": run.models.user.name,
        "recipe": run.recipe.name,
        "seed": run.seed,
        "protocol": run.protocol.value,
        "earlier": run.earlier.version if run.earlier else "",
        "n_items": shape.n_items,
        "text_dim": shape.block_dim,
        "id_dim": shape.id_dim,
        "prior_dim": trained.prior.shape[1],
        "interests": shape.interests,
        "history_events": shape.max_events,
        "torch": torch.__version__,
    }


def _golden_questions(dataset: Dataset) -> list[dict[str, Any]]:
    """The histories of a few users, evenly spread, and a few phrases; asked at the newest time of the data."""
    asked_at_s = int(dataset.at_s.max())
    questions: list[dict[str, Any]] = [{"words": words, "asked_at_s": asked_at_s} for words in GOLDEN_WORDS]
    for user in range(0, dataset.n_users, max(1, dataset.n_users // GOLDEN_HISTORIES)):
        events = slice(dataset.starts[user], min(dataset.starts[user + 1], dataset.starts[user] + GOLDEN_EVENTS))
        questions.append(
            {
                "rows": dataset.rows[events].tolist(),
                "at_s": dataset.at_s[events].tolist(),
                "weights": dataset.weights[events].tolist(),
                "asked_at_s": asked_at_s,
            }
        )
    return questions


def _write_curves(folder: Path, curves: Curves) -> None:
    draw_learning_curve(folder / "learning_curve.svg", {"text block": curves.text, "ID block": curves.behaviour})
    lines = {
        "text": [dataclasses.asdict(epoch) for epoch in curves.text],
        "id": [dataclasses.asdict(epoch) for epoch in curves.behaviour],
        "blend_ndcg10": curves.blend_ndcg10,
    }
    (folder / "training.json").write_text(json.dumps(lines, indent=1) + "\n")
