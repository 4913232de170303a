"""`penchant evaluate`: bundles against tuned baselines, each bundle by the protocol it was trained for.

Writes docs/reports/<report>.md and .json, and into each bundle its metrics and its card.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from app.bundle import Bundle, open_bundle, reseal
from app.catalogue.text import item_text
from app.device import choose_device, share_threads, spend_threads
from app.domain import FloatArray
from app.errors import DataError
from app.offline.atomic import replace_text
from app.offline.baselines.tuning import list_baselines
from app.offline.bundle_ranker import BundleRanker
from app.offline.comparison import compare
from app.offline.dataset import Dataset, read_dataset
from app.offline.fetch import fetch_base_model
from app.offline.model_card import write_card
from app.offline.quality_report import render
from app.offline.report import write_report
from app.offline.split import Protocol, split
from app.offline.train import training_progress
from app.settings import Settings
from app.trained import load_trained
from models.item_encoder import load_item_encoder

REPORTS = Path("docs/reports")
QUICK = frozenset({"popularity", "recent_popularity", "markov", "item_knn", "text_similarity", "markov_text"})
"""Baselines that take seconds; the whole list, ALS and EASE included, is the benchmark's."""


def evaluate_bundles(settings: Settings, versions: Sequence[str], report: str) -> Path:
    """The report's path. Raises BundleError, and DataError where a bundle is of other data than is there now."""
    spend_threads(share_threads(settings, processes=1))
    figures: dict[str, float] = {}
    bodies = []
    for version in versions:
        bundle = open_bundle(settings.bundle_dir.parent / version)
        dataset = read_dataset(settings.data_dir / "data" / bundle.manifest.dataset)
        found, body = _evaluate(settings, bundle, dataset)
        _write_into(bundle, found, body)
        figures |= found
        bodies.append(f"{body}\n\nBundle {version}, trained on nothing that is asked here.")
    command = " ".join(["penchant", *sys.argv[1:]])
    write_report(REPORTS, report, "Evaluation", command, figures, "\n\n".join(bodies))
    return REPORTS / f"{report}.md"


def _evaluate(settings: Settings, bundle: Bundle, dataset: Dataset) -> tuple[dict[str, float], str]:
    manifest = bundle.manifest
    if dataset.digest != manifest.dataset_digest:
        raise DataError(f"{dataset.name} has changed since bundle {bundle.version} was trained on it: train again")
    trained = load_trained(bundle, choose_device(settings))
    outside = _outside_vectors(settings, dataset)
    halves = split(dataset, Protocol(manifest.protocol))
    with training_progress() as progress:
        comparison = compare(
            dataset.name.replace("-", ""),
            dataset,
            halves,
            BundleRanker(trained, dataset, halves.train),
            [baseline for baseline in list_baselines(outside) if baseline.name in QUICK],
            track=lambda batches: progress.track(batches, description=f"evaluating ({manifest.protocol})"),
        )
    return render(comparison, outside)


def _outside_vectors(settings: Settings, dataset: Dataset) -> FloatArray:
    """Text vectors of the untuned base model: what baselines read, and what diversity is measured in."""
    encoder = load_item_encoder(fetch_base_model(settings.data_dir, Console()), torch.device("cpu"))
    return encoder.encode([item_text(item) for item in dataset.items]).numpy()


def _write_into(bundle: Bundle, figures: dict[str, float], body: str) -> None:
    replace_text(bundle.folder / "metrics.json", json.dumps(figures, indent=1, sort_keys=True) + "\n")
    replace_text(bundle.folder / "card.md", write_card(bundle, body))
    reseal(bundle.folder)
