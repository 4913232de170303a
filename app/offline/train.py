"""`penchant train`: names to objects, then one run."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.bundle import open_bundle
from app.catalogue.text import item_text
from app.device import choose_device, share_threads, spend_threads
from app.offline.build import Run, build_bundle, point_current
from app.offline.dataset import Dataset, read_dataset
from app.offline.domain_pretraining import read_texts_once
from app.offline.fetch import fetch_base_model, fetch_user_model
from app.offline.recipes import get_recipe
from app.offline.split import Protocol
from app.offline.workshop import Models
from app.settings import Settings


def train_bundle(
    settings: Settings,
    name: str,
    recipe: str,
    protocol: str,
    seed: int,
    text_model: Path | None = None,
    user_model: Path | None = None,
    *,
    earlier: str = "",
    domain_steps: int = 0,
    current: bool = True,
) -> Path:
    """The bundle's folder. Models left out are the base model and the recipe's user model, fetched where not there yet.

    earlier: version of the bundle to go on from. domain_steps: of reading the catalogue's texts before all else. Raises
    DataError, and BundleError where it cannot be read.
    """
    spend_threads(share_threads(settings, processes=1))
    chosen, console = get_recipe(recipe), Console()
    text_model = text_model or fetch_base_model(settings.data_dir, console)
    user_model = user_model or fetch_user_model(chosen.user_model, settings.data_dir, console)
    artifacts, dataset = settings.bundle_dir.parent, read_dataset(settings.data_dir / "data" / name)
    if domain_steps:
        text_model = _read_catalogue(settings, dataset, text_model, domain_steps, seed)
    run = Run(
        dataset=dataset,
        protocol=Protocol(protocol),
        recipe=chosen,
        models=Models(text_model, user_model),
        seed=seed,
        earlier=open_bundle(artifacts / earlier) if earlier else None,
    )
    with training_progress() as progress:
        folder, _ = build_bundle(
            run, artifacts, settings.data_dir / "work", device=choose_device(settings), progress=progress
        )
    if current:
        point_current(settings.bundle_dir, folder)
    return folder


def _read_catalogue(settings: Settings, dataset: Dataset, model: Path, steps: int, seed: int) -> Path:
    """Folder of the model that has read the data set's texts; made once."""
    name = f"{model.name}-on-{dataset.name}-{dataset.digest[:8]}-{steps}-{seed}"
    folder, texts = settings.data_dir / "work" / "domain" / name, [item_text(item) for item in dataset.items]
    with training_progress() as progress:
        device = choose_device(settings)
        return read_texts_once(model, texts, folder, steps=steps, seed=seed, device=device, progress=progress)


def training_progress() -> Progress:
    """Bars with the time left; plain when nobody watches."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )
