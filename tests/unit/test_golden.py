import json
from collections.abc import Callable
from pathlib import Path

import faiss
import pytest
import torch

from app.bundle import Bundle, open_bundle
from app.errors import BundleError
from app.golden import TOP, check_golden
from app.trained import GOLDEN, INDEX, Trained


@pytest.fixture
def bundle(tiny_bundle: Path) -> Bundle:
    return open_bundle(tiny_bundle)


@pytest.fixture
def check(bundle: Bundle, tiny_trained: Trained) -> Callable[[], None]:
    return lambda: check_golden(bundle, tiny_trained, faiss.read_index(str(bundle.path(INDEX))))


def test_a_bundle_answers_as_it_did_when_it_was_trained(check: Callable[[], None]) -> None:
    check()


def test_histories_and_words_are_asked(bundle: Bundle) -> None:
    questions = json.loads(bundle.path(GOLDEN).read_text())
    assert {"words" in question for question in questions} == {True, False}
    for question in questions:
        scores = [score for _, score in question["answer"]]
        assert len(scores) == TOP
        assert scores == sorted(scores, reverse=True)


@torch.no_grad()
def change(trained: Trained, part: str) -> None:
    weights = {
        "user encoder": trained.space.text.encoder.transformer.layers[0].mlp.up_proj.weight,
        "head": trained.space.text.encoder.head.out.weight,
        "projection": trained.space.text.projection.weight,
        "ID encoder": trained.space.id.encoder.norm.weight,
        "gate": trained.space.text.gate.hour.weight,
        "item encoder": next(trained.item_encoder.transformer.parameters()),
        "words encoder": next(trained.words_encoder.transformer.parameters()),
        "words block": trained.space.words.directions.weight,
    }[part]
    weights.add_(torch.randn_like(weights) * 0.5)


PARTS = [
    *("user encoder", "head", "projection", "ID encoder", "gate", "item encoder", "words encoder", "words block"),
]


@pytest.mark.parametrize("part", PARTS)
def test_other_weights_are_noticed(check: Callable[[], None], tiny_trained: Trained, part: str) -> None:
    torch.manual_seed(0)
    change(tiny_trained, part)
    with pytest.raises(BundleError, match=r"golden query \d gives other scores here than where it was trained"):
        check()


def test_weights_that_are_not_numbers_are_noticed(check: Callable[[], None], tiny_trained: Trained) -> None:
    with torch.no_grad():
        tiny_trained.space.text.encoder.head.out.bias[0] = float("nan")
    with pytest.raises(BundleError, match="golden query"):
        check()


def test_another_index_is_noticed(bundle: Bundle, tiny_trained: Trained) -> None:
    index = faiss.read_index(str(bundle.path(INDEX)))
    vectors = index.reconstruct_n(0, index.ntotal)
    other = faiss.IndexFlatIP(index.d)
    other.add(vectors * 1.01)
    with pytest.raises(BundleError, match="golden query"):
        check_golden(bundle, tiny_trained, other)
