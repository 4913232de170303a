"""Which items a `never` removes: those that carry the phrase, and those whose text is close to it.

Carrying it: as a category; or, for a phrase of several words, in the title or the description, word for word. Close:
a text that the phrase fits NEAR standard deviations better than it fits the catalogue's items on average. Texts of one
catalogue are too alike for a fixed cosine to tell (see `app.interests.steering`). On MovieLens, of the items as close
as that to a genre's name 93% have that genre, of those two deviations close 86%.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import BoolArray, EditOperation, FloatArray, IntArray, InterestEdit, Item
from app.interests.edits import phrase_key
from app.interests.texts import TextVectors
from models.space import Shape

NEAR = 2.5
KEPT_PHRASES = 500  # a mask of 50,000 items is 50 KB
AT_ONCE = 1_500  # slots looked at on the event loop: 1 ms; more go to a thread


class NeverFilter:
    """Slots that a user's edits remove. Belongs to the event loop's thread; a phrase is looked for once a catalogue."""

    def __init__(self, catalogue: LiveCatalogue, texts: TextVectors, shape: Shape) -> None:
        self._catalogue = catalogue
        self._texts = texts
        self._columns = shape.words
        self._kept: OrderedDict[tuple[str, bytes, int], BoolArray] = OrderedDict()

    async def removed(self, edits: Sequence[InterestEdit]) -> IntArray:
        """(R,) slots, ascending; empty where no edit says never."""
        masks = [await self.matches(edit) for edit in edits if edit.operation is EditOperation.NEVER]
        if not masks:
            return np.empty(0, dtype=np.int64)
        matched = np.zeros(max(map(len, masks)), dtype=np.bool_)
        for mask in masks:
            matched[: len(mask)] |= mask
        return np.flatnonzero(matched)

    async def count(self, edit: InterestEdit) -> int:
        """How many of the items that are served now a `never` removes."""
        slots = np.flatnonzero(await self.matches(edit))
        return sum(self._catalogue.index.is_alive(int(slot)) for slot in slots)

    async def matches(self, edit: InterestEdit) -> BoolArray:
        """(n_slots,): the items that this phrase removes, those not served included."""
        key = (phrase_key(edit.phrase), edit.text.tobytes(), self._catalogue.version)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        point = self._texts.place_words(edit.text[None])[0, self._columns]
        items = self._catalogue.items()
        vectors = self._catalogue.index.gather(np.arange(len(items)))[:, self._columns]
        if len(items) > AT_ONCE:
            mask = await asyncio.to_thread(_match, key[0], point, items, vectors)
        else:
            mask = _match(key[0], point, items, vectors)
        self._kept[key] = mask
        if len(self._kept) > KEPT_PHRASES:
            self._kept.popitem(last=False)
        return mask


def _match(key: str, point: FloatArray, items: Sequence[Item], vectors: FloatArray) -> BoolArray:
    fits = vectors @ point
    near: BoolArray = fits > fits.mean() + NEAR * fits.std() if len(items) else np.zeros(0, dtype=np.bool_)
    return near | np.array([_carries(item, key) for item in items], dtype=np.bool_)


def _carries(item: Item, key: str) -> bool:
    if any(phrase_key(category) == key for category in item.categories):
        return True
    return " " in key and any(f" {key} " in f" {phrase_key(text)} " for text in (item.title, item.description) if text)
