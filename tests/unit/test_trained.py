import dataclasses
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch
from test_bundle import ABOUT
from tiny import tiny_items

from app.bundle import open_bundle, seal
from app.errors import BundleError
from app.trained import INDEX, ITEM_TABLE, SPACE_FORM, Trained, build_index, load_trained, save_trained

CPU = torch.device("cpu")


def saved(folder: Path, trained: Trained) -> Path:
    folder.mkdir()
    save_trained(folder, trained)
    seal(folder, ABOUT)
    return folder


def test_what_was_saved_comes_back(tiny_trained: Trained, tmp_path: Path) -> None:
    back = load_trained(open_bundle(saved(tmp_path / "b", tiny_trained)), CPU)
    for name in ("vectors", "prior", "n_events", "phrase_baseline", "text", "words", "phrase_text", "phrase_words"):
        assert np.array_equal(getattr(back, name), getattr(tiny_trained, name)), name
        assert getattr(back, name).dtype == getattr(tiny_trained, name).dtype, name
    assert (back.items, back.phrases) == (tuple(tiny_items()), tiny_trained.phrases)
    assert (back.space.shape, back.space.blend) == (tiny_trained.space.shape, tiny_trained.space.blend)
    assert (back.words_scale, back.context.values) == (tiny_trained.words_scale, {"device": ("phone", "tv")})
    before, after = tiny_trained.space.state_dict(), back.space.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before | after)


def test_saving_what_was_loaded_gives_the_same_bytes(tiny_trained: Trained, tiny_bundle: Path, tmp_path: Path) -> None:
    again = saved(tmp_path / "b", tiny_trained)
    names = [path.relative_to(again) for path in again.rglob("*") if path.is_file() and path.name != "manifest.json"]
    assert len(names) >= 8
    assert [n for n in names if (again / n).read_bytes() != (tiny_bundle / n).read_bytes()] == []


def test_a_loaded_space_is_done_learning(tiny_trained: Trained) -> None:
    assert not tiny_trained.space.training
    assert not tiny_trained.item_encoder.transformer.training


def test_the_index_holds_item_vectors_and_priors_in_row_order(tiny_trained: Trained, tiny_bundle: Path) -> None:
    index = faiss.read_index(str(tiny_bundle / INDEX))
    assert np.array_equal(index.reconstruct_n(0, 60), np.hstack([tiny_trained.vectors, tiny_trained.prior]))


def test_an_index_scores_by_inner_product() -> None:
    index = build_index(np.array([[1, 2], [3, 4]], np.float32), np.array([[10], [20]], np.float32))
    scores, rows = index.search(np.array([[1, 1, 0.5]], np.float32), 2)
    assert (rows.tolist(), scores.tolist()) == ([[1, 0]], [[17, 8]])


def test_a_bundle_without_phrases_or_features_comes_back(tiny_trained: Trained, tmp_path: Path) -> None:
    none = np.empty((0, tiny_trained.phrase_text.shape[1]), dtype=np.float32)
    bare = dataclasses.replace(
        tiny_trained, phrases=(), phrase_text=none, phrase_baseline=np.empty(0, dtype=np.float32)
    )
    back = load_trained(open_bundle(saved(tmp_path / "b", bare)), CPU)
    assert (back.phrases, back.phrase_text.shape) == ((), none.shape)


def test_items_and_vectors_that_do_not_belong_together_are_refused(tiny_trained: Trained, tmp_path: Path) -> None:
    folder = saved(tmp_path / "b", tiny_trained)
    lines = (folder / ITEM_TABLE).read_text().splitlines(keepends=True)
    (folder / ITEM_TABLE).write_text("".join(lines[:-1]))
    seal(folder, ABOUT)
    with pytest.raises(BundleError, match="59 items, 60 vectors, a space of 60"):
        load_trained(open_bundle(folder), CPU)


def test_weights_of_another_shape_are_refused(tiny_trained: Trained, tmp_path: Path) -> None:
    folder = saved(tmp_path / "b", tiny_trained)
    form = (folder / SPACE_FORM).read_text()
    (folder / SPACE_FORM).write_text(form.replace('"block_dim": 16', '"block_dim": 8'))
    seal(folder, ABOUT)
    with pytest.raises(BundleError, match=r"space.safetensors does not fit space.json"):
        load_trained(open_bundle(folder), CPU)


def test_text_kept_in_half_precision_is_good_to_three_digits(tiny_trained: Trained) -> None:
    again = tiny_trained.item_encoder.encode([f"{item.title}. {item.categories[0]}" for item in tiny_items()])
    assert np.abs(tiny_trained.text - again.numpy()).max() < 1e-3
