"""A list of the caller's own as items with vectors: some named, out of the catalogue, some told, out of their text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import FloatArray, Item, ItemId
from app.errors import Overloaded


@dataclass(frozen=True, slots=True)
class Listed:
    """Items each once, in the order of the list, those told last. vectors: (n, D + PRIOR_DIM), as the index has them.

    unknown: ids that the catalogue does not hold. degraded: "items_unread" where told ones could not be encoded in
    time, and are then among the unknown.
    """

    items: tuple[Item, ...]
    vectors: FloatArray
    unknown: tuple[ItemId, ...] = ()
    degraded: tuple[str, ...] = ()


async def read_list(catalogue: LiveCatalogue, listed: Sequence[ItemId | Item]) -> Listed:
    """An item told stands for itself, even where the catalogue has one of its id: it is known by its text alone."""
    told = list({item.item_id: item for item in reversed(listed) if isinstance(item, Item)}.values())[::-1]
    told_ids = {item.item_id for item in told}
    slots, unknown = catalogue.find_served([each for each in listed if isinstance(each, str) and each not in told_ids])
    degraded: tuple[str, ...] = ()
    try:
        text_vectors = await catalogue.vectors_of_text(told)
    except Overloaded:
        unknown, degraded = unknown + tuple(item.item_id for item in told), ("items_unread",)
        told, text_vectors = [], await catalogue.vectors_of_text([])
    return Listed(
        items=(*(catalogue.item_at(slot) for slot in slots.tolist()), *told),
        vectors=np.vstack([catalogue.index.gather(slots), text_vectors]),
        unknown=unknown,
        degraded=degraded,
    )
