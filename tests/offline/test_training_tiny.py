"""The training job on a data set of forty users: repeatable, resumable, and scored as it is served."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import TINY, build_tiny, silent

from app.bundle import open_bundle, reseal
from app.domain import Context
from app.errors import BundleError
from app.golden import check_golden
from app.interests.encoder import HistoryEncoder, Reading
from app.offline import training
from app.offline.build import Run, build_bundle
from app.offline.bundle_ranker import BundleRanker
from app.offline.dataset import Dataset
from app.offline.metrics import ndcg_at
from app.offline.questions import rank_targets
from app.offline.split import Protocol, split
from app.offline.workshop import Models
from app.scoring.prior import long_run_share
from app.scoring.scorer import Scorer
from app.scoring.trend import decay, trend
from app.trained import Trained, build_index


def test_the_same_seed_and_data_give_the_same_bytes(
    tiny_dataset: Dataset, tiny_models: Models, tiny_bundle: Path, tmp_path: Path
) -> None:
    again = build_tiny(tiny_dataset, tiny_models, tmp_path)
    assert again.name == tiny_bundle.name
    assert build_tiny(tiny_dataset, tiny_models, tmp_path / "other", seed=1).name != tiny_bundle.name


class Killed(Exception):
    pass


@pytest.mark.parametrize("epoch", [1, 4])
def test_a_training_killed_half_way_goes_on_to_the_same_bytes(
    epoch: int,
    tiny_dataset: Dataset,
    tiny_models: Models,
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed inside an epoch of the text block; what the epochs before it left is on disk."""
    run = Run(tiny_dataset, Protocol.LEAVE_ONE_OUT, TINY, tiny_models, 0)
    where: dict[str, Any] = {"device": torch.device("cpu"), "progress": silent()}
    whole = training.BlockTrainer._loss
    epochs_begun: list[int] = []

    def killed_loss(self: training.BlockTrainer, window: np.ndarray) -> torch.Tensor:
        epochs_begun.append(len(self.curve))
        if len(self.curve) == epoch and epochs_begun.count(epoch) == 2:
            raise Killed
        return whole(self, window)

    monkeypatch.setattr(training.BlockTrainer, "_loss", killed_loss)
    with pytest.raises(Killed):
        build_bundle(run, tmp_path / "artifacts", tmp_path / "work", **where)
    epochs_resumed: list[int] = []

    def watched_loss(self: training.BlockTrainer, window: np.ndarray) -> torch.Tensor:
        epochs_resumed.append(len(self.curve))
        return whole(self, window)

    monkeypatch.setattr(training.BlockTrainer, "_loss", watched_loss)
    folder, _ = build_bundle(run, tmp_path / "artifacts", tmp_path / "work", **where)
    assert epochs_resumed[0] == epoch
    assert folder.name == tiny_bundle.name


def test_a_finished_run_is_not_trained_again(
    tiny_dataset: Dataset, tiny_models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_tiny(tiny_dataset, tiny_models, tmp_path)
    monkeypatch.delattr(training.BlockTrainer, "run")
    assert build_tiny(tiny_dataset, tiny_models, tmp_path) == first


def test_the_evaluation_scores_items_as_the_server_does(tiny_trained: Trained, tiny_dataset: Dataset) -> None:
    halves = split(tiny_dataset, Protocol.LEAVE_ONE_OUT)
    questions = halves.test[:12]
    tiny_trained.space.blend = replace(tiny_trained.space.blend, trend=0.5)
    ranked = BundleRanker(tiny_trained, tiny_dataset, halves.train).scores(questions)
    rows = np.hstack([tiny_trained.vectors, tiny_trained.prior])
    for place, question in enumerate(questions):
        events = np.arange(tiny_dataset.starts[tiny_dataset.users[question]], question)
        items = tiny_dataset.rows[events]
        reading = Reading(tiny_trained.text[items], items, tiny_dataset.at_s[events], tiny_dataset.weights[events])
        (interests,) = HistoryEncoder(tiny_trained.space, torch.device("cpu")).encode([reading])
        context = _context_of(tiny_dataset, int(question))
        likes = halves.train & (tiny_dataset.weights > 0) & (tiny_dataset.at_s < tiny_dataset.at_s[question])
        age_s = tiny_dataset.at_s[question] - tiny_dataset.at_s[likes]
        counted = decay(age_s, tiny_trained.space.blend.half_life_days)
        lately = np.bincount(tiny_dataset.rows[likes], counted, minlength=len(rows)).astype(np.float32)
        rows[:, -1] = trend(lately, long_run_share(tiny_trained.n_events, tiny_trained.unseen_events))
        scorer = Scorer(tiny_trained.space, tiny_trained.context)
        served = scorer.score(scorer.query(interests, context, int(reading.at_s[-1])), rows)
        np.testing.assert_allclose(served.total, ranked[place], atol=1e-4)


def _context_of(dataset: Dataset, question: int) -> Context:
    from datetime import UTC, datetime

    features = {name: str(values[question]) for name, values in dataset.context.items()}
    return Context(datetime.fromtimestamp(int(dataset.at_s[question]), UTC), features)


def test_it_learns_the_order_of_the_catalogue_far_better_than_chance(
    tiny_trained: Trained, tiny_dataset: Dataset
) -> None:
    """Four steps in five lead to the next item: chance at 60 items is an NDCG@10 of about 0.08."""
    halves = split(tiny_dataset, Protocol.LEAVE_ONE_OUT)
    ranker = BundleRanker(tiny_trained, tiny_dataset, halves.train)
    ranks = rank_targets(tiny_dataset, halves.test, ranker.scores(halves.test))
    assert ndcg_at(ranks, 10).mean() > 0.3


FILES = ["space.safetensors", "items.safetensors", "items.jsonl", "index.faiss", "golden.json", "space.json"]


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_in_any_file_is_found_and_named(name: str, tiny_bundle: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} is damaged"):
        open_bundle(folder)


def test_missing_extra_and_linked_files_are_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    missing = shutil.copytree(tiny_bundle, tmp_path / "missing")
    (missing / "index.faiss").unlink()
    with pytest.raises(BundleError, match=r"index\.faiss is missing"):
        open_bundle(missing)
    extra = shutil.copytree(tiny_bundle, tmp_path / "extra")
    (extra / "payload.pkl").write_text("x")
    with pytest.raises(BundleError, match=r"payload\.pkl is not in the manifest"):
        open_bundle(extra)
    linked = shutil.copytree(tiny_bundle, tmp_path / "linked")
    (linked / "out").symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match="is a link"):
        open_bundle(linked)
    with pytest.raises(BundleError, match=r"no bundle at .*: run `make demo`"):
        open_bundle(tmp_path / "nowhere")


def test_reports_do_not_change_a_bundles_version(tiny_bundle: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    (folder / "metrics.json").write_text("{}\n")
    assert reseal(folder).version == tiny_bundle.name
    assert open_bundle(folder).version == tiny_bundle.name


def test_golden_queries_find_weights_that_compute_something_else(tiny_bundle: Path, tiny_trained: Trained) -> None:
    bundle = open_bundle(tiny_bundle)
    index = build_index(tiny_trained.vectors, tiny_trained.prior)
    check_golden(bundle, tiny_trained, index)
    with torch.no_grad():
        tiny_trained.space.text.encoder.head.out.weight += 0.05
    with pytest.raises(BundleError, match="golden query"):
        check_golden(bundle, tiny_trained, index)
