"""`penchant benchmark quality`: every cell that has no run yet, then the report of all runs there are.

A cell leaves checkpoints while it trains and its run when it is done, so a machine that stops loses at most an epoch.
"""

import re
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import Progress

from app.device import choose_device, keep_freed_memory, share_threads, spend_threads
from app.domain import FloatArray
from app.errors import DataError
from app.machine import describe_machine
from app.offline.benchmark.contestants import BASELINES, OURS, Entry, enter, is_seeded
from app.offline.benchmark.quality_page import write_quality_report
from app.offline.benchmark.runs import Cell, Questions, Run, run_path, write_questions, write_run
from app.offline.clean import clean
from app.offline.columns import get_mapping
from app.offline.dataset import Dataset, read_dataset
from app.offline.evaluate import evaluate
from app.offline.fetch import fetch_base_model, fetch_user_model
from app.offline.finetune import be_repeatable, refuse_without_validation
from app.offline.measures import measure_lists
from app.offline.pairs import auc_of_pairs
from app.offline.quality_report import count_questions
from app.offline.questions import training_counts
from app.offline.recipes import Recipe
from app.offline.report import current_commit
from app.offline.slices import slice_questions
from app.offline.split import Protocol, Split, shuffle, split
from app.offline.train import training_progress
from app.offline.workshop import Models, Workshop
from app.settings import Settings

SHORT_NAMES = {
    "movielens-1m": "ml1m",
    "amazon-beauty-2014": "beauty",
    "steam-100k": "steam",
    "movielens-small": "mlsmall",
}
USUAL = (*BASELINES, "sasrec_ce", "sasrec_ce_time", "penchant_text", "penchant_id", OURS)
"""Who takes part unless told otherwise: all baselines, ours whole and block by block; the ablations cost too much."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Plan:
    """What to run. data: folders with interactions.tsv.gz and items.tsv.gz. contestants: names. seeds: how many of each
    that depends on one. reports: the folder of the report, whose runs/ keeps what is done. text_model, user_model:
    Hugging Face folders; None fetches the recipe's."""

    data: Sequence[Path]
    splits: Sequence[Protocol]
    contestants: Sequence[str]
    seeds: int
    recipe: Recipe
    reports: Path
    text_model: Path | None = None
    user_model: Path | None = None

    @property
    def runs(self) -> Path:
        return self.reports / "runs"


def benchmark_quality(settings: Settings, plan: Plan) -> Path:
    """Run what is missing, seed by seed so that every cell has one before any has two; the report's path."""
    spend_threads(share_threads(settings, processes=1))
    keep_freed_memory()
    be_repeatable()
    with training_progress() as progress:
        for (folder, protocol, seed), cells in groupby(list_missing(plan), key=lambda cell: cell[:3]):
            _run_cells(settings, plan, folder, protocol, seed, [contestant for *_, contestant in cells], progress)
    return write_quality_report(plan.runs, plan.reports, " ".join(["penchant", *sys.argv[1:]]))


def list_missing(plan: Plan) -> Iterator[tuple[Path, Protocol, int, str]]:
    """Folder, split, seed and contestant of each cell that has no run yet, in the order they are run: every cell has
    one seed before any has two."""
    for seed, folder, protocol, contestant in product(range(plan.seeds), plan.data, plan.splits, plan.contestants):
        cell = Cell(short_name(folder), protocol, contestant, seed)
        if (seed == 0 or is_seeded(contestant)) and not run_path(plan.runs, cell).is_file():
            yield folder, protocol, seed, contestant


def _run_cells(
    settings: Settings,
    plan: Plan,
    folder: Path,
    protocol: Protocol,
    seed: int,
    contestants: Sequence[str],
    progress: Progress,
) -> None:
    name = short_name(folder)
    dataset = open_data(settings, folder)
    if protocol is Protocol.GLOBAL_TIME and not dataset.has_times:
        log.warning("split_left_out", data=name, split=protocol, reason="the data have no times")
        return
    if protocol is Protocol.RANDOM:
        dataset = shuffle(dataset)
    workshop = _open_workshop(settings, plan, dataset, split(dataset, protocol), name, seed, progress)
    refuse_without_validation(workshop)
    write_questions(plan.runs, _describe_questions(name, dataset, workshop.split))
    for contestant in contestants:
        cell = Cell(name, protocol, contestant, seed)
        try:
            _run_cell(plan, cell, workshop)
        except (DataError, ModuleNotFoundError) as refused:
            log.warning("cell_left_out", cell=cell.name, reason=str(refused))


def short_name(folder: Path) -> str:
    """What figures of this data begin with: letters and digits."""
    name = folder.resolve().name
    return SHORT_NAMES.get(name, re.sub(r"[^a-z0-9]", "", name.lower()) or "data")


def open_data(settings: Settings, folder: Path) -> Dataset:
    """The data of a folder under their short name: cleaned once, and again when the files have changed."""
    name = short_name(folder)
    cleaned = settings.data_dir / "data" / f"benchmark-{name}"
    sources = [folder / "interactions.tsv.gz", folder / "items.tsv.gz"]
    for source in sources:
        if not source.is_file():
            raise DataError(f"{source} is missing: a data folder holds interactions.tsv.gz and items.tsv.gz")
    done = cleaned / "dataset.json"
    if not done.is_file() or done.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        events, items = sources
        clean(events, items, get_mapping("benchmark"), cleaned, name, command="penchant benchmark quality")
    return read_dataset(cleaned)


def _open_workshop(
    settings: Settings, plan: Plan, dataset: Dataset, divided: Split, name: str, seed: int, progress: Progress
) -> Workshop:
    console = Console()
    models = Models(
        text=plan.text_model or fetch_base_model(settings.data_dir, console),
        user=plan.user_model or fetch_user_model(plan.recipe.user_model, settings.data_dir, console),
    )
    work = settings.data_dir / "work" / "benchmark" / f"{plan.recipe.name}-{plan.recipe.digest}"
    folder = work / f"{name}.{divided.protocol}.{seed}"
    return Workshop(dataset, divided, plan.recipe, models, folder, seed, choose_device(settings), progress)


def _run_cell(plan: Plan, cell: Cell, workshop: Workshop) -> None:
    started = time.process_time()
    entry = enter(cell.contestant, workshop)
    dataset, divided = workshop.dataset, workshop.split
    evaluation = evaluate(dataset, divided, divided.test, entry.ranker)
    lists = measure_lists(dataset, evaluation, training_counts(dataset, divided), _outside(workshop))
    made = {name: float(estimate.value) for name, estimate in lists.items()}
    if divided.protocol is Protocol.RANDOM:
        made["auc"] = auc_of_pairs(dataset, divided, entry.ranker)
    run = Run(
        cell=cell,
        ranks=evaluation.ranks,
        figures=made,
        arguments=dict(entry.arguments),
        validation_ndcg10=entry.validation_ndcg10,
        recipe=f"{plan.recipe.name}-{plan.recipe.digest}" if is_seeded(cell.contestant) else "",
        commit=current_commit(),
        machine=describe_machine(),
        cpu_s=time.process_time() - started,
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        curves=_curves(entry),
    )
    write_run(plan.runs, run)
    log.info("cell_done", cell=cell.name, validation_ndcg10=round(entry.validation_ndcg10, 4), cpu_s=round(run.cpu_s))


def _outside(workshop: Workshop) -> FloatArray:
    """Where diversity is measured: text vectors of the untuned base model."""
    return workshop.text(tuned=False)


def _curves(entry: Entry) -> dict[str, list[float]]:
    return {name: [round(epoch.ndcg10, 5) for epoch in epochs] for name, epochs in entry.curves.items()}


def _describe_questions(name: str, dataset: Dataset, divided: Split) -> Questions:
    counts = count_questions(dataset, divided)
    return Questions(
        data=name,
        split=divided.protocol,
        n_questions=counts.pop("questions"),
        users=dataset.users[divided.test],
        slices=slice_questions(dataset, divided, divided.test),
        counts={
            "users": dataset.n_users,
            "items": dataset.n_items,
            "events": len(dataset.rows),
            "training_events": int(divided.train.sum()),
            **counts,
        },
    )
