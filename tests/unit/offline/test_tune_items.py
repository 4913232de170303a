import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_made import dataset_of, split_of
from tiny import TINY, silent

from app.catalogue.text import item_text
from app.errors import DataError
from app.offline.dataset import Dataset
from app.offline.split import Protocol, split
from app.offline.tune_items import MAX_STEPS_APART, draw_pairs, tune_item_encoder
from models.item_encoder import ItemEncoder, load_item_encoder
from models.losses import in_batch_cross_entropy

DATA = dataset_of({"ann": [(item, n) for n, item in enumerate("abcdefgh")], "bob": [("h", 0), ("h", 1), ("a", 2)]})
LONGER = {"pair_steps": 20, "pair_batch": 32, "pair_rate": 1e-2}


def draw(dataset: Dataset = DATA, test: list[int] | None = None, n: int = 500, seed: int = 0) -> np.ndarray:
    return draw_pairs(dataset, split_of(dataset, test or []), n, np.random.default_rng(seed))


def test_pairs_are_different_items_that_one_user_met_within_three_steps() -> None:
    pairs = draw()
    assert pairs.shape == (500, 2)
    ann = {tuple(sorted(pair)) for pair in pairs.tolist()} - {(0, 7)}  # a and h are bob's pair
    assert {right - left for left, right in ann} == set(range(1, MAX_STEPS_APART + 1))
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_pairs_come_either_way_round() -> None:
    pairs = draw()
    assert 0.4 < (pairs[:, 0] < pairs[:, 1]).mean() < 0.6


def test_events_held_out_are_in_no_pair() -> None:
    assert 3 not in draw(test=[3]).ravel().tolist()  # d, ann's fourth


def test_the_same_seed_draws_the_same_pairs() -> None:
    assert draw(seed=1).tolist() == draw(seed=1).tolist() != draw(seed=2).tolist()


def test_histories_of_two_events_give_as_many_pairs_as_are_asked_for() -> None:
    """Five draws in six end in the next user's history, so 4 draws for each pair are too few: some come twice."""
    short = dataset_of({f"u{n}": [("abcdefgh"[n % 7], 0), ("abcdefgh"[n % 7 + 1], 1)] for n in range(50)})
    pairs = draw(short)
    assert pairs.shape == (500, 2)
    assert (np.abs(pairs[:, 0] - pairs[:, 1]) == 1).all()


@pytest.mark.parametrize("history", [[("a", 0)], [("a", 0), ("a", 1)]])
def test_without_any_pair_there_is_nothing_to_learn_from(history: list[tuple[str, int]]) -> None:
    with pytest.raises(DataError, match="no user has two training events on different items"):
        draw(dataset_of({"ann": history, "bob": [("b", 0)]}))


def tune(folder: Path, dataset: Dataset, seed: int = 0, **changes: object) -> ItemEncoder:
    return tune_item_encoder(
        load_item_encoder(folder),
        [item_text(item) for item in dataset.items],
        dataset,
        split(dataset, Protocol.LEAVE_ONE_OUT),
        dataclasses.replace(TINY, **changes),
        seed=seed,
        progress=silent(),
    )


@pytest.mark.parametrize("folder", ["bert_folder", "llama_folder"])
def test_both_kinds_of_models_are_tuned_in_their_last_layers_alone(
    folder: str, tiny_dataset: Dataset, request: pytest.FixtureRequest
) -> None:
    base = request.getfixturevalue(folder)
    before = load_item_encoder(base).transformer.state_dict()
    tuned = tune(base, tiny_dataset, lora_layers=1)
    after = tuned.transformer.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert after.keys() == before.keys()  # the LoRA layers are merged: a plain model again
    assert changed
    assert all(".1." in name for name in changed)
    assert not tuned.training


def test_the_same_seed_tunes_alike(bert_folder: Path, tiny_dataset: Dataset) -> None:
    texts = ["red space film", "slow"]
    vectors = [tune(bert_folder, tiny_dataset, seed).encode(texts) for seed in (0, 0, 1)]
    assert torch.equal(vectors[0], vectors[1])
    assert not torch.equal(vectors[0], vectors[2])


def test_tuning_learns_which_of_a_batch_belong_together(llama_folder: Path, tiny_dataset: Dataset) -> None:
    texts = [item_text(item) for item in tiny_dataset.items]
    learned = split(tiny_dataset, Protocol.LEAVE_ONE_OUT)
    pairs = draw_pairs(tiny_dataset, learned, 32, np.random.default_rng(9))

    def loss(encoder: ItemEncoder) -> float:
        vectors = encoder.encode(texts)
        left, right = vectors[pairs[:, 0]], vectors[pairs[:, 1]]
        return float(in_batch_cross_entropy(left, right, torch.arange(32), torch.zeros(32), TINY.pair_temperature))

    assert loss(tune(llama_folder, tiny_dataset, **LONGER, tether=0.0)) < loss(load_item_encoder(llama_folder)) - 1


def test_a_tether_keeps_texts_nearer_to_where_they_were(llama_folder: Path, tiny_dataset: Dataset) -> None:
    texts = [item_text(item) for item in tiny_dataset.items]
    before = load_item_encoder(llama_folder).encode(texts)
    free, tied = (tune(llama_folder, tiny_dataset, **LONGER, tether=tether).encode(texts) for tether in (0.0, 100.0))
    assert (tied - before).norm() < 0.5 * (free - before).norm()
