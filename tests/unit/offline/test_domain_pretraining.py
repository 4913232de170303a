from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import silent, tiny_items

from app.catalogue.text import item_text
from app.offline.domain_pretraining import pretrain_on_texts
from models.item_encoder import load_item_encoder

CPU = torch.device("cpu")
TEXTS = [item_text(item) for item in tiny_items()]


@pytest.fixture(params=["bert_folder", "llama_folder"])
def base(request: pytest.FixtureRequest) -> Path:
    """A model that fills words in, and one that tells the next."""
    return request.getfixturevalue(request.param)


def test_a_model_that_read_the_catalogue_tells_its_words_better(base: Path, tmp_path: Path) -> None:
    losses = pretrain_on_texts(base, TEXTS, tmp_path, steps=200, seed=0, device=CPU, progress=silent())
    assert len(losses) == 200
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:10])


def test_what_it_writes_is_an_item_encoder_that_places_texts_otherwise(base: Path, tmp_path: Path) -> None:
    pretrain_on_texts(base, TEXTS, tmp_path, steps=6, seed=0, device=CPU, progress=silent())
    before, after = (load_item_encoder(folder, CPU).encode(TEXTS[:5]) for folder in (base, tmp_path))
    assert after.shape == before.shape
    assert not torch.allclose(before, after, atol=1e-5)


def test_the_same_seed_gives_the_same_model(bert_folder: Path, tmp_path: Path) -> None:
    told = []
    for name in ("one", "two"):
        pretrain_on_texts(bert_folder, TEXTS, tmp_path / name, steps=3, seed=4, device=CPU, progress=silent())
        told.append(load_item_encoder(tmp_path / name, CPU).encode(TEXTS[:5]))
    assert torch.equal(*told)


def test_a_new_head_learns_alone_at_first(bert_folder: Path, tmp_path: Path) -> None:
    """Three steps: the first moves the head only, so the body is as it came."""
    pretrain_on_texts(bert_folder, TEXTS, tmp_path, steps=1, seed=0, device=CPU, progress=silent())
    before, after = (load_item_encoder(folder, CPU).encode(TEXTS[:5]) for folder in (bert_folder, tmp_path))
    assert torch.allclose(before, after, atol=1e-6)


def test_a_catalogue_without_texts_is_refused(bert_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no texts"):
        pretrain_on_texts(bert_folder, [], tmp_path, seed=0, device=CPU, progress=silent())
