from pathlib import Path

import pytest
import torch

from models.item_encoder import ItemEncoder, load_item_encoder, pool_states

TEXTS = ["red space film", "something light for tonight", "x", "old western film", "red space film"]


@pytest.fixture(params=["bert_folder", "llama_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture
def encoder(folder: Path) -> ItemEncoder:
    return load_item_encoder(folder)


def test_texts_become_unit_vectors(encoder: ItemEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert (vectors.shape, vectors.dtype, encoder.dim) == ((5, 32), torch.float32, 32)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(5), atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_neither_batch_nor_padding_nor_order_changes_a_vector(encoder: ItemEncoder, batch: int) -> None:
    alone = torch.cat([encoder.encode([text]) for text in TEXTS])
    assert torch.allclose(encoder.encode(TEXTS, batch=batch), alone, atol=1e-5)


def test_different_texts_are_different_points(encoder: ItemEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors[0] @ vectors[4] == pytest.approx(1, abs=1e-5)
    assert (vectors[0] @ vectors[1:4].T).max() < 0.99


def test_a_text_is_cut_at_the_most_tokens(folder: Path) -> None:
    short = load_item_encoder(folder)
    short.max_tokens = 4
    assert torch.allclose(short.encode(["red red red red"]), short.encode(["red red red red space film"]), atol=1e-5)


def test_no_texts_give_no_vectors(encoder: ItemEncoder) -> None:
    assert encoder.encode([]).shape == (0, 32)


def test_an_encoder_comes_back_from_disk_as_it_was(encoder: ItemEncoder, tmp_path: Path) -> None:
    with torch.no_grad():
        next(encoder.transformer.parameters()).mul_(1.5)
    encoder.save(tmp_path)
    assert torch.equal(load_item_encoder(tmp_path).encode(TEXTS), encoder.encode(TEXTS))


@pytest.mark.parametrize("name", ["", "not/there"])
def test_a_folder_that_holds_no_model_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises((OSError, ValueError), match=tmp_path.name):
        load_item_encoder(tmp_path / name)


def test_pooling_is_the_mean_of_real_tokens_at_unit_length() -> None:
    """Two real tokens (2, 0) and (4, 8): mean (3, 4), length 5. The third is padding."""
    states = torch.tensor([[[2.0, 0.0], [4.0, 8.0], [99.0, -99.0]]])
    assert pool_states(states, torch.tensor([[1, 1, 0]])).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]


def test_what_was_encoded_leaves_no_trace_in_what_is_saved(bert_folder: Path, tmp_path: Path) -> None:
    encoder = load_item_encoder(bert_folder)
    encoder.save(tmp_path / "before")
    encoder.encode(["red space film", "x"])
    encoder.save(tmp_path / "after")
    load_item_encoder(tmp_path / "after").save(tmp_path / "again")
    for path in (tmp_path / "before").iterdir():
        same = [(tmp_path / folder / path.name).read_bytes() for folder in ("after", "again")]
        assert same == [path.read_bytes()] * 2, path.name
