from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app.errors import Overloaded
from app.interests import texts as texts_module
from app.interests.texts import TextVectors
from app.trained import Trained

pytestmark = pytest.mark.anyio


class Counted:
    """The bundle's words encoder, keeping what it was asked."""

    def __init__(self, trained: Trained) -> None:
        self.asked: list[str] = []
        self._encode = trained.words_encoder.encode
        trained.words_encoder.encode = self

    def __call__(self, texts: Sequence[str]) -> object:
        self.asked += texts
        return self._encode(list(texts))


@pytest.fixture
def counted(tiny_trained: Trained) -> Counted:
    return Counted(tiny_trained)


@pytest.fixture
async def texts(tiny_trained: Trained, counted: Counted) -> AsyncIterator[TextVectors]:
    with ThreadPoolExecutor(1) as executor:
        texts = TextVectors(tiny_trained, executor)
        yield texts
        await texts.close()


async def test_texts_become_vectors_of_both_encoders_in_the_order_asked(
    texts: TextVectors, tiny_trained: Trained
) -> None:
    asked = ["red space film", "old western", "x"]
    tuned, words = (of.encode(asked).numpy() for of in (tiny_trained.item_encoder, tiny_trained.words_encoder))
    vectors = await texts.encode(asked)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, np.hstack([tuned, words]), atol=1e-5)
    assert np.allclose(await texts.encode_words(asked), words, atol=1e-5)
    assert np.abs(tuned - words).max() > 0.01


async def test_a_phrase_asked_again_is_not_computed_again(texts: TextVectors, counted: Counted) -> None:
    first = await texts.encode_words(["slow"])
    assert np.array_equal(await texts.encode_words(["slow"]), first)
    assert counted.asked == ["slow"]


async def test_the_phrase_used_longest_ago_is_forgotten(
    texts: TextVectors, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts_module, "KEPT_PHRASES", 2)
    for phrase in ("a", "b", "a", "c", "a", "b"):
        await texts.encode_words([phrase])
    assert counted.asked == ["a", "b", "c", "b"]


async def test_a_whole_catalogue_of_texts_fits_through_the_queue(texts: TextVectors, counted: Counted) -> None:
    vectors = await texts.encode([f"film {n}" for n in range(200)])
    assert vectors.shape == (200, 64)
    assert len(counted.asked) == 200


async def test_a_text_is_placed_where_an_item_without_behaviour_is(texts: TextVectors, tiny_trained: Trained) -> None:
    placed = texts.place(np.hstack([tiny_trained.text[:5], tiny_trained.words[:5]]))
    assert placed.shape == (5, 56)
    assert np.allclose(placed[:, :48], tiny_trained.vectors[:5, :48], atol=1e-3)  # text is kept in half precision
    assert np.abs(placed[:, 48:]).max() == 0


async def test_words_are_placed_in_the_words_block_alone(texts: TextVectors, tiny_trained: Trained) -> None:
    placed = texts.place_words(tiny_trained.words[:5])
    assert np.allclose(placed[:, 16:48], tiny_trained.vectors[:5, 16:48], atol=1e-3)
    assert not placed[:, :16].any()
    assert not placed[:, 48:].any()


async def test_closed_it_says_so(texts: TextVectors) -> None:
    await texts.close()
    with pytest.raises(Overloaded, match="item encoder is shutting down"):
        await texts.encode(["slow"])
