"""What training costs: `python -m app.offline.training_report NAME RECIPE...` trains on a data set with each recipe.

Each run starts from nothing in a folder of its own, by the command that anyone types, and its bundle is thrown away.
Writes docs/reports/training.md and .json.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from rich.console import Console

from app.offline.dataset import Dataset, read_dataset
from app.offline.fetch import fetch_base_model, fetch_user_model
from app.offline.recipes import get_recipe
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.training_cost import TrainingCost
from app.settings import Settings

COMMAND = "make report-training"


def measure(settings: Settings, name: str, recipe: str) -> TrainingCost:
    """Raises CalledProcessError where the training fails."""
    console = Console()
    fetch_base_model(settings.data_dir, console)
    fetch_user_model(get_recipe(recipe).user_model, settings.data_dir, console)
    with TemporaryDirectory() as own:
        for shared in ("data", "base_models"):
            (Path(own) / shared).symlink_to((settings.data_dir / shared).resolve(), target_is_directory=True)
        current = Path(own) / "artifacts" / "current"
        subprocess.run(  # noqa: S603 - our own command, and a name that the data sets were looked up by
            [sys.executable, "-m", "app.cli", "train", name, "--recipe", recipe],
            env={**os.environ, "PENCHANT_DATA_DIR": own, "PENCHANT_BUNDLE_DIR": str(current)},
            check=True,
        )
        cost = TrainingCost.read(current)
    if cost is None:
        raise ValueError(f"the bundle that {recipe} made has no cost beside it")
    return cost


def write(costs: Mapping[str, TrainingCost], dataset: Dataset, folder: Path) -> None:
    figures = {f"{recipe}.{what}": value for recipe, cost in costs.items() for what, value in asdict(cost).items()}
    sizes = {"users": dataset.n_users, "items": dataset.n_items, "events": len(dataset.rows)}
    body = f"""\
`penchant train {dataset.name}`, {len(dataset.rows):,} events of {dataset.n_users:,} users on {dataset.n_items:,} items,
from the base models to the sealed bundle. Other work on the machine makes the time on the clock longer, the processor
time hardly.

{costs_table(figures)}"""
    write_report(folder, "training", "What training costs", COMMAND, {**sizes, **figures}, body)


def costs_table(figures: Mapping[str, float]) -> str:
    """figures: `<recipe>.<field of TrainingCost>`, and others, which are left out."""
    recipes = [name.removesuffix(".cpu_s") for name in figures if name.endswith(".cpu_s")]
    rows = [
        {
            "Recipe": recipe,
            "Processor time, minutes": f"{figures[f'{recipe}.cpu_s'] / 60:.1f}",
            "On the clock, minutes": f"{figures[f'{recipe}.wall_s'] / 60:.1f}",
            "Memory at most, GiB": f"{figures[f'{recipe}.peak_memory_bytes'] / 2**30:.1f}",
        }
        for recipe in recipes
    ]
    return markdown_table(pl.DataFrame(rows))


def main(asked: Sequence[str]) -> None:
    if len(asked) < 2:
        raise SystemExit(f"{COMMAND} NAME=ml-100k RECIPES='fast cpu': a cleaned data set, and recipes")
    settings, (name, *recipes) = Settings(), asked
    costs = {recipe: measure(settings, name, recipe) for recipe in recipes}
    write(costs, read_dataset(settings.data_dir / "data" / name), REPOSITORY / "docs/reports")


if __name__ == "__main__":
    main(sys.argv[1:])
