import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TINY, silent, tiny_items

from app.bundle import open_bundle
from app.domain import Item, ItemId
from app.errors import DataError
from app.offline.build import Run, build_bundle
from app.offline.dataset import Dataset
from app.offline.refresh import Earlier, align, carry_over, shorten
from app.offline.split import Protocol
from app.offline.workshop import Models, text_schedule
from app.scoring.context import ContextCodes
from app.trained import Trained, load_trained
from models.events import EventBatch, event_batch
from models.item_encoder import ItemEncoder
from models.space import IdBlock, Shape, TextBlock
from models.user_encoder import build_user_transformer

CPU = torch.device("cpu")
NEW = [Item(ItemId("n0"), "red western story", ("western",)), Item(ItemId("n1"), "slow robots", ("space",))]
NOW = (NEW[0], *reversed(tiny_items()), NEW[1])
"""The tiny catalogue backwards, a new item at each end."""
CODES = ContextCodes({"device": ["car", "phone", "tv"]})  # then: phone, tv


@pytest.fixture
def earlier(tiny_trained: Trained) -> Earlier:
    return Earlier(tiny_trained, "then", NOW)


@pytest.fixture
def blocks(earlier: Earlier) -> tuple[TextBlock, IdBlock]:
    shape = dataclasses.replace(earlier.trained.space.shape, n_items=len(NOW), feature_sizes=CODES.sizes)
    torch.manual_seed(5)
    config = earlier.trained.space.text.encoder.transformer.config.to_diff_dict()
    return TextBlock(shape, build_user_transformer(config)), IdBlock(shape)


def history(rows: list[int], text: np.ndarray) -> EventBatch:
    places, at_s = np.array([rows]), np.arange(len(rows))[None] * 4_000
    return event_batch(text[places], places + 1, at_s, np.ones_like(places), np.array([len(rows)]), has_times=True)


def test_every_known_item_is_found_where_it_stood(earlier: Earlier) -> None:
    assert earlier.rows.tolist() == [-1, *reversed(range(60)), -1]


@pytest.mark.parametrize("kind", ["text", "id"])
def test_a_history_of_known_items_gives_the_interests_it_gave(
    kind: str, earlier: Earlier, blocks: tuple[TextBlock, IdBlock]
) -> None:
    now, then = (blocks[0], earlier.trained.space.text) if kind == "text" else (blocks[1], earlier.trained.space.id)
    carry_over(now, earlier, CODES)
    rows = [3, 50, 7, 20]
    text = np.vstack([np.zeros((1, earlier.trained.text.shape[1])), earlier.trained.text[::-1]]).astype(np.float32)
    with torch.inference_mode():
        told = now.eval().read(history([60 - row for row in rows], text))
        assert torch.equal(told, then.read(history(rows, earlier.trained.text)))


def test_a_context_value_keeps_its_meaning_when_its_code_moves(
    earlier: Earlier, blocks: tuple[TextBlock, IdBlock]
) -> None:
    block, then = blocks[1], earlier.trained.space.id
    carry_over(block, earlier, CODES)
    for now, old in ((block.gate.features, then.gate.features), (block.gate.shifts, then.gate.shifts)):
        assert torch.equal(now[0].weight[2:], old[0].weight[1:])
        assert now[0].weight[1].tolist() == [0.0] * block.gate.dim, "nothing is known of cars yet"


def test_a_feature_that_is_new_starts_at_zeros_beside_those_that_are_carried_over(earlier: Earlier) -> None:
    codes = ContextCodes({"company": ["alone"], "device": ["phone", "tv"]})
    block = IdBlock(dataclasses.replace(earlier.trained.space.shape, n_items=len(NOW), feature_sizes=codes.sizes))
    then = earlier.trained.space.id.gate
    carry_over(block, earlier, codes)
    for now, old in ((block.gate.features, then.features), (block.gate.shifts, then.shifts)):
        assert torch.equal(now[1].weight, old[0].weight)
        assert not now[0].weight.any()
    assert then.features[0].weight.any()


def test_new_items_are_not_touched_by_carrying_over(earlier: Earlier, blocks: tuple[TextBlock, IdBlock]) -> None:
    block = blocks[1]
    before = block.encoder.items.weight[[1, len(NOW)]].clone()
    carry_over(block, earlier, CODES)
    assert torch.equal(block.encoder.items.weight[[1, len(NOW)]], before)


@pytest.mark.parametrize("change", [{"id_dim": 4}, {"id_layers": 1}, {"max_events": 20}])
def test_a_block_of_another_form_is_refused(change: dict[str, int], earlier: Earlier) -> None:
    shape: Shape = dataclasses.replace(earlier.trained.space.shape, n_items=len(NOW), feature_sizes=CODES.sizes)
    with pytest.raises(DataError, match=r"bundle then cannot be gone on from|cannot be carried over"):
        carry_over(IdBlock(dataclasses.replace(shape, **change)), earlier, CODES)


def test_new_items_start_where_the_known_ones_say_they_belong(earlier: Earlier) -> None:
    """Starting vectors that are the earlier ones turned: what turns them back is found from the known items."""
    rng = np.random.default_rng(0)
    table = earlier.trained.space.id.encoder.items.weight[1:].detach().numpy()
    meant = np.vstack([rng.normal(size=(1, 8)), table[::-1], np.zeros((1, 8))]).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0].astype(np.float32)
    found = align(meant @ turn, earlier)
    np.testing.assert_allclose(found, meant, atol=1e-4)
    assert not found[-1].any(), "nothing stands beside the last"


@pytest.mark.parametrize("tuned", [True, False], ids=["tuned", "as it came"])
def test_only_new_and_changed_texts_are_encoded(tuned: bool, earlier: Earlier, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Item(ItemId("i0"), "dark horror story", ("horror",))
    now = dataclasses.replace(earlier, items=(*NOW[:-2], changed, NOW[-1]))
    asked: list[str] = []

    def encode(encoder: ItemEncoder, texts: list[str]) -> torch.Tensor:
        assert encoder is earlier.item_encoder(tuned=tuned)
        asked.extend(texts)
        return torch.full((len(texts), earlier.trained.text.shape[1]), 7.0)

    monkeypatch.setattr(ItemEncoder, "encode", encode)
    text = now.text(tuned=tuned)
    assert len(asked) == 3
    assert asked[1].startswith("dark horror story")
    assert (text[[0, 60, 61]] == 7).all()
    then = earlier.trained.text if tuned else earlier.trained.words
    assert np.array_equal(text[1:60], then[:0:-1])


def test_a_refresh_takes_a_share_of_the_epochs_and_at_least_one(tiny_bundle: Path) -> None:
    from app.offline.sizing import size

    first = text_schedule(TINY, size(TINY, 1_000, 60))
    assert (first.epochs, shorten(first).epochs) == (6, 2)
    assert shorten(dataclasses.replace(first, epochs=1)).epochs == 1
    assert shorten(first).head_rate < first.head_rate


def test_a_bundle_gone_on_from_says_so_and_keeps_its_item_encoders(
    tiny_dataset: Dataset, tiny_models: Models, tiny_bundle: Path, tmp_path: Path
) -> None:
    run = Run(tiny_dataset, Protocol.LEAVE_ONE_OUT, TINY, tiny_models, 0, earlier=open_bundle(tiny_bundle))
    folder, manifest = build_bundle(run, tmp_path / "artifacts", tmp_path / "work", device=CPU, progress=silent())
    then, now = (load_trained(open_bundle(path), CPU) for path in (tiny_bundle, folder))
    assert (manifest.earlier, open_bundle(tiny_bundle).manifest.earlier) == (tiny_bundle.name, "")
    assert manifest.version != tiny_bundle.name
    np.testing.assert_array_equal(now.text, then.text)
    np.testing.assert_array_equal(now.words, then.words)
    assert not np.array_equal(now.vectors, then.vectors), "both blocks went on learning"


def test_another_recipe_than_the_bundles_own_is_refused(
    tiny_dataset: Dataset, tiny_models: Models, tiny_bundle: Path, tmp_path: Path
) -> None:
    other = dataclasses.replace(TINY, name="fast")
    run = Run(tiny_dataset, Protocol.LEAVE_ONE_OUT, other, tiny_models, 0, earlier=open_bundle(tiny_bundle))
    with pytest.raises(DataError, match="made by the recipe tiny, not fast"):
        build_bundle(run, tmp_path / "artifacts", tmp_path / "work", device=CPU, progress=silent())


def test_a_run_that_goes_on_from_a_bundle_has_a_work_folder_of_its_own(
    tiny_dataset: Dataset, tiny_models: Models, tiny_bundle: Path
) -> None:
    fresh = Run(tiny_dataset, Protocol.LEAVE_ONE_OUT, TINY, tiny_models, 0)
    assert fresh.key != dataclasses.replace(fresh, earlier=open_bundle(tiny_bundle)).key
