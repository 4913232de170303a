import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from tiny import TINY, build_tiny, silent

from app.bundle import open_bundle, reseal
from app.errors import DataError
from app.offline.build import Run, build_bundle, point_current
from app.offline.dataset import Dataset
from app.offline.finetune import finetune
from app.offline.split import Protocol, split
from app.offline.training_cost import TrainingCost
from app.offline.workshop import Models, Workshop

CPU = torch.device("cpu")
QUICK = dataclasses.replace(TINY, text_epochs=1, id_epochs=1, pair_steps=1)


@pytest.fixture
def run(tiny_dataset: Dataset, tiny_models: Models) -> Run:
    return Run(tiny_dataset, Protocol.LEAVE_ONE_OUT, QUICK, tiny_models, seed=0)


def test_a_built_bundle_is_whole_and_says_what_it_was_made_of(tiny_bundle: Path, tiny_dataset: Dataset) -> None:
    manifest = open_bundle(tiny_bundle).manifest
    assert tiny_bundle.name == manifest.version
    assert (manifest.dataset, manifest.dataset_digest, manifest.protocol) == ("tiny", tiny_dataset.digest, "loo")
    assert (manifest.text_model, manifest.user_model, manifest.recipe) == ("tiny-bert", "tiny-llama", "tiny")
    assert (manifest.text_dim, manifest.id_dim, manifest.prior_dim, manifest.interests) == (16, 8, 9, 2)
    assert (manifest.n_items, manifest.history_events, manifest.seed) == (60, 12, 0)


def test_a_bundle_names_no_folder_of_the_machine_it_was_made_on(tiny_bundle: Path, tiny_models: Models) -> None:
    for path in tiny_bundle.rglob("*.json*"):
        assert str(tiny_models.user.parent) not in path.read_text(), path
        assert str(tiny_models.text.parent) not in path.read_text(), path


def test_learning_curves_are_kept_beside_the_weights(tiny_bundle: Path) -> None:
    curves = json.loads((tiny_bundle / "training.json").read_text())
    assert [line["epoch"] for line in curves["text"]] == list(range(6))
    assert [line["epoch"] for line in curves["id"]] == list(range(15))
    assert 0 < curves["blend_ndcg10"] <= 1


def test_a_bundle_tells_what_its_training_took_and_is_the_same_without(tiny_bundle: Path, tmp_path: Path) -> None:
    cost = TrainingCost.read(tiny_bundle)
    assert cost is not None
    assert cost.cpu_s > 0
    assert cost.wall_s > 0
    assert 100e6 < cost.peak_memory_bytes < 100e9
    copied = shutil.copytree(tiny_bundle, tmp_path / tiny_bundle.name)
    (copied / "cost.json").unlink()
    assert reseal(copied).version == tiny_bundle.name
    assert TrainingCost.read(copied) is None


def test_the_work_folder_is_emptied_when_the_bundle_is_in_place(run: Run, tmp_path: Path) -> None:
    bundle, manifest = build_bundle(run, tmp_path / "artifacts", tmp_path / "work", device=CPU, progress=silent())
    assert [path.name for path in (tmp_path / "work" / run.key).iterdir()] == ["version"]
    assert (tmp_path / "work" / run.key / "version").read_text() == manifest.version == bundle.name


def test_a_bundle_that_was_removed_is_built_again(run: Run, tmp_path: Path) -> None:
    where = tmp_path / "artifacts", tmp_path / "work"
    bundle, _ = build_bundle(run, *where, device=CPU, progress=silent())
    bundle.rename(tmp_path / "elsewhere")
    again, _ = build_bundle(run, *where, device=CPU, progress=silent())
    assert again == bundle
    open_bundle(again)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"protocol": Protocol.GLOBAL_TIME}, {"recipe": dataclasses.replace(QUICK, id_rate=0.5)}],
)
def test_whatever_changes_the_outcome_changes_the_runs_key(run: Run, change: dict[str, object]) -> None:
    assert dataclasses.replace(run, **change).key != run.key
    assert dataclasses.replace(run).key == run.key


def test_the_kinds_of_models_may_change_places(tiny_dataset: Dataset, tiny_models: Models, tmp_path: Path) -> None:
    """A causal item encoder and a user encoder that once read both ways."""
    turned = Models(text=tiny_models.user, user=tiny_models.text)
    manifest = open_bundle(build_tiny(tiny_dataset, turned, tmp_path, recipe=QUICK)).manifest
    assert (manifest.text_model, manifest.user_model) == ("tiny-llama", "tiny-bert")


def test_a_source_without_a_clock_makes_a_bundle_too(
    tiny_dataset: Dataset, tiny_models: Models, tmp_path: Path
) -> None:
    untimed = dataclasses.replace(tiny_dataset, has_times=False)
    form = json.loads((build_tiny(untimed, tiny_models, tmp_path, recipe=QUICK) / "space.json").read_text())
    assert form["shape"]["has_times"] is False


def test_current_leads_to_the_bundle_and_is_moved_in_one_step(tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    for name in ("one", "two"):
        (artifacts / name).mkdir(parents=True)
        point_current(artifacts / "current", artifacts / name)
        assert (artifacts / "current").resolve() == artifacts / name
    assert sorted(path.name for path in artifacts.iterdir()) == ["current", "one", "two"]
    artifacts.rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "current").resolve() == tmp_path / "moved" / "two"  # relative


def test_what_is_held_out_for_the_test_is_not_looked_at(
    tiny_dataset: Dataset, tiny_models: Models, tmp_path: Path
) -> None:
    """Other test items, the same weights: neither their items nor their weights reach training or the blend."""
    divided = split(tiny_dataset, Protocol.LEAVE_ONE_OUT)
    rows = tiny_dataset.rows.copy()
    rows[divided.test] = (rows[divided.test] + 7) % 60
    trained = [
        finetune(Workshop(data, divided, QUICK, tiny_models, tmp_path / name, 0, CPU, silent()))[0]
        for name, data in (("as is", tiny_dataset), ("other", dataclasses.replace(tiny_dataset, rows=rows)))
    ]
    states = [each.space.state_dict() for each in trained]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert trained[0].space.blend == trained[1].space.blend
    assert (trained[0].prior == trained[1].prior).all()


def test_without_a_question_to_choose_by_training_does_not_begin(
    tiny_dataset: Dataset, tiny_models: Models, tmp_path: Path
) -> None:
    refused = dataclasses.replace(tiny_dataset, weights=-tiny_dataset.weights)
    with pytest.raises(DataError, match="tiny has nothing to choose by"):
        build_tiny(refused, tiny_models, tmp_path, recipe=QUICK)


def test_a_run_finished_in_an_older_format_is_trained_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run.key
    monkeypatch.setattr("app.offline.build.FORMAT", 99)
    assert run.key != before
