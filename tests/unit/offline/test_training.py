import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_made import dataset_of, split_of
from tiny import TINY, silent

from app.offline.dataset import Dataset
from app.offline.questions import rank_targets
from app.offline.sizing import size
from app.offline.split import Split
from app.offline.training import BlockTrainer, Epoch, Schedule, score_by_block
from app.offline.windows import Histories
from app.offline.workshop import id_schedule
from models.space import IdBlock, Shape

CPU = torch.device("cpu")
SCHEDULE = dataclasses.replace(id_schedule(TINY, size(TINY, 12, 8)), epochs=3, history_events=4)
LETTERS = "abcdefgh"
#                 each walks the alphabet from a place of their own; positions 0 to 4, 5 to 9, 10 to 14, 15 to 19
WALKS = dataset_of({f"u{n}": [(LETTERS[(n + step) % 8], step) for step in range(5)] for n in range(4)})
LAST = split_of(WALKS, test=[4, 9, 14, 19], validation=[3, 8, 13, 18])


def block(dataset: Dataset = WALKS) -> IdBlock:
    torch.manual_seed(0)
    return IdBlock(
        Shape(
            n_items=dataset.n_items,
            text_dim=2,
            block_dim=2,
            id_dim=8,
            interests=1,
            max_events=4,
            id_layers=1,
            id_heads=2,
            id_dropout=0.1,
            text_dropout=0.1,
            has_times=True,
        )
    )


def histories(dataset: Dataset = WALKS) -> Histories:
    text = np.zeros((dataset.n_items, 2), dtype=np.float32)
    return Histories(dataset, text, np.empty((len(dataset.rows), 0), dtype=np.int64), has_times=True)


def trainer(
    folder: Path, schedule: Schedule = SCHEDULE, dataset: Dataset = WALKS, split: Split = LAST, seed: int = 0
) -> BlockTrainer:
    return BlockTrainer(
        block(dataset), histories(dataset), split, schedule, seed=seed, device=CPU, checkpoint=folder / "block.pt"
    )


def scores_of(learned: IdBlock, data: Histories, asked: np.ndarray) -> np.ndarray:
    return score_by_block(learned, data, asked, learned.items(torch.empty(0)))


def curve_of(trainer: BlockTrainer, *ndcg10: float) -> BlockTrainer:
    trainer.curve = [Epoch(number, 1.0, value) for number, value in enumerate(ndcg10)]
    return trainer


@pytest.mark.parametrize(
    ("ndcg10", "finished"),
    [
        ((), False),
        ((0.1,), False),
        ((0.3, 0.2), False),
        ((0.3, 0.2, 0.1), True),  # two epochs brought nothing
        ((0.1, 0.3, 0.2), False),
        ((0.3, 0.2, 0.3), True),  # the same again is nothing new
        ((0.1, 0.2, 0.3, 0.4, 0.5), True),  # the last epoch
    ],
)
def test_training_ends_after_the_last_epoch_or_when_patience_does(
    tmp_path: Path, ndcg10: tuple[float, ...], finished: bool
) -> None:
    schedule = dataclasses.replace(SCHEDULE, epochs=5, patience=2)
    assert curve_of(trainer(tmp_path, schedule), *ndcg10)._finished() is finished


def test_a_block_learns_what_follows_what(tmp_path: Path) -> None:
    """After a, b; after b, c ...: what each walk did last, which training saw in other walks only, follows the rule."""
    walks = dataset_of({f"u{n}": [(LETTERS[(n + step) % 8], step) for step in range(5)] for n in range(8)})
    last = split_of(walks, test=[5 * n + 4 for n in range(8)], validation=[5 * n + 3 for n in range(8)])
    schedule = dataclasses.replace(SCHEDULE, epochs=120, patience=120, head_rate=1e-2, body_rate=1e-2)
    learner = trainer(tmp_path, schedule, walks, last)
    curve = learner.run(silent(), "walks")
    asked = last.validation
    ranks = rank_targets(walks, asked, scores_of(learner.block, learner.histories, asked))
    assert curve[-1].loss < curve[0].loss / 2
    assert ranks.tolist() == [0] * 8


def test_the_block_is_left_with_the_weights_of_its_best_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = trainer(tmp_path, dataclasses.replace(SCHEDULE, epochs=3, patience=3))
    after_each: list[dict[str, torch.Tensor]] = []
    judged = iter([0.2, 0.9, 0.1])

    def validate(loss: float) -> None:
        after_each.append({name: weights.clone() for name, weights in learner.block.state_dict().items()})
        value = next(judged)
        if not learner.curve or value > max(done.ndcg10 for done in learner.curve):
            learner.best = after_each[-1]
        learner.curve.append(Epoch(len(learner.curve), loss, value))

    monkeypatch.setattr(learner, "_validate", validate)
    learner.run(silent(), "walks")
    left = learner.block.state_dict()
    assert all(torch.equal(left[name], weights) for name, weights in after_each[1].items())
    assert not learner.block.training


def test_validation_keeps_a_copy_of_the_best_weights(tmp_path: Path) -> None:
    learner = trainer(tmp_path)
    learner._validate(1.0)
    kept = learner.best["encoder.items.weight"].clone()
    with torch.no_grad():
        learner.block.encoder.items.weight.add_(1.0)
    assert torch.equal(learner.best["encoder.items.weight"], kept)


@pytest.mark.parametrize("killed_in", [1, 2])
def test_a_killed_run_goes_on_to_the_very_same_weights(
    tmp_path: Path, killed_in: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trainer(tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    whole.run(silent(), "walks")

    (tmp_path / "killed").mkdir()
    killed = trainer(tmp_path / "killed")
    loss = killed._loss

    def die(window: np.ndarray) -> torch.Tensor:
        if len(killed.curve) == killed_in:
            raise KeyboardInterrupt
        return loss(window)

    monkeypatch.setattr(killed, "_loss", die)
    with pytest.raises(KeyboardInterrupt):
        killed.run(silent(), "walks")
    resumed = trainer(tmp_path / "killed")
    curve = resumed.run(silent(), "walks")

    assert curve == whole.curve
    expected, got = whole.block.state_dict(), resumed.block.state_dict()
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_a_finished_run_only_gives_its_weights_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = trainer(tmp_path)
    first.run(silent(), "walks")
    again = trainer(tmp_path)
    monkeypatch.delattr(BlockTrainer, "_train_epoch")
    assert again.run(silent(), "walks") == first.curve
    assert torch.equal(again.block.encoder.items.weight, first.block.encoder.items.weight)


def test_other_seeds_learn_other_weights(tmp_path: Path) -> None:
    weights = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        learner = trainer(folder, seed=seed)
        learner.run(silent(), "walks")
        weights.append(learner.block.encoder.items.weight)
    assert not torch.equal(*weights)


def test_the_rate_warms_up_and_falls_to_a_tenth(tmp_path: Path) -> None:
    learner = trainer(tmp_path, dataclasses.replace(SCHEDULE, warm_up=0.1, head_rate=1.0, body_rate=1.0))

    def rate_at(done: float) -> float:
        learner._set_rates(done)
        (rate,) = {group["lr"] for group in learner.optimizer.param_groups}
        return float(rate)

    assert [rate_at(done) for done in (0.05, 0.1, 0.55, 1.0)] == pytest.approx([0.5, 1.0, 0.55, 0.1])
    assert rate_at(0.0) == pytest.approx(1e-3)


def test_refusals_are_read_and_never_predicted(tmp_path: Path) -> None:
    """The only training target is a refusal: there is nothing to lose, whatever the weights are."""
    data = dataset_of({"ann": [("a", 0), ("b", 1), ("c", 2, -1.0), ("d", 3), ("e", 4)]})
    learner = trainer(tmp_path, dataset=data, split=split_of(data, test=[4], validation=[3]))
    targets: list[list[int]] = []
    contexts = learner.histories.contexts
    object.__setattr__(
        learner.histories, "contexts", lambda of, previous: (targets.append(of.tolist()), contexts(of, previous))[1]
    )
    learner._loss(np.array([[0, 1, 2]]))
    assert targets == [[1]]


def test_an_item_without_training_events_is_not_pushed_away(tmp_path: Path) -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1), ("a", 2), ("b", 3), ("a", 4), ("c", 5)]})
    learner = trainer(tmp_path, dataset=data, split=split_of(data, test=[5], validation=[4]))
    learner._loss(np.array([[0, 1, 2, 3]])).backward()
    moved = learner.block.encoder.items.weight.grad.abs().sum(dim=1)
    assert (moved[1:3] > 0).all()
    assert moved[3] < 1e-6 * moved[1]  # row 2, "c", plus one; rounding of the mean that is taken off


def test_scores_of_a_block_are_the_best_interests_in_each_questions_context() -> None:
    learned = block().eval()
    scores = scores_of(learned, histories(), LAST.test)
    with torch.inference_mode():
        states = learned.read(histories().events(histories().before(LAST.test, 4)))[:, 0]
        expected = (states @ learned.encoder.item_vectors().T).numpy()  # a fresh gate is all ones
    assert np.allclose(scores, expected, atol=1e-5)
