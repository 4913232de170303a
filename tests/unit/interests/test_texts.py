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
    """The bundle's item encoder, keeping what it was asked."""

    def __init__(self, trained: Trained) -> None:
        self.asked: list[str] = []
        self._encode = trained.item_encoder.encode
        trained.item_encoder.encode = self

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


async def test_texts_become_vectors_in_the_order_asked(texts: TextVectors, tiny_trained: Trained) -> None:
    asked = ["red space film", "old western", "x"]
    expected = tiny_trained.item_encoder.encode(asked).numpy()
    vectors = await texts.encode(asked)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected, atol=1e-5)


async def test_a_phrase_asked_again_is_not_computed_again(texts: TextVectors, counted: Counted) -> None:
    first = await texts.encode(["slow"])
    assert np.array_equal(await texts.encode(["slow"]), first)
    assert counted.asked == ["slow"]


async def test_the_phrase_used_longest_ago_is_forgotten(
    texts: TextVectors, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts_module, "KEPT_PHRASES", 2)
    for phrase in ("a", "b", "a", "c", "a", "b"):
        await texts.encode([phrase])
    assert counted.asked == ["a", "b", "c", "b"]


async def test_a_whole_catalogue_of_texts_fits_through_the_queue(texts: TextVectors, counted: Counted) -> None:
    vectors = await texts.encode([f"film {n}" for n in range(200)])
    assert vectors.shape == (200, 32)
    assert len(counted.asked) == 200


async def test_a_text_is_placed_where_an_item_without_behaviour_is(texts: TextVectors, tiny_trained: Trained) -> None:
    placed = texts.place(tiny_trained.text[:5])
    assert placed.shape == (5, 24)
    assert np.allclose(placed[:, :16], tiny_trained.vectors[:5, :16], atol=1e-3)  # text is kept in half precision
    assert np.abs(placed[:, 16:]).max() == 0


async def test_closed_it_says_so(texts: TextVectors) -> None:
    await texts.close()
    with pytest.raises(Overloaded, match="item encoder is shutting down"):
        await texts.encode(["slow"])
