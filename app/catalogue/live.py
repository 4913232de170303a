"""The catalogue as one process serves it: the store's items in memory, each with a slot in the index.

Everything arrives by the store's change feed: all items at the start, then what this process or any other changed.
So there is one way in, and two workers that have read equally far serve the same items.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
import structlog

from app.catalogue.store import CatalogueChange, CatalogueStore
from app.catalogue.text import item_text
from app.domain import BoolArray, FloatArray, IntArray, Item, ItemId
from app.errors import Overloaded
from app.retrieval.index import ItemIndex
from app.scoring.prior import long_run_share, unseen_prior
from app.scoring.trend import trend
from app.trained import Trained

FEED_PAGE = 500
PIECE = 10
"""Changes applied before the event loop's other work gets its turn: about 1 ms."""
MOST_TRIES = 5
NO_ROW = -1

log = structlog.get_logger()


class Texts(Protocol):
    """What the live catalogue asks of the encoders; an item's text comes to 2T numbers (see `TextVectors`)."""

    async def encode(self, texts: Sequence[str]) -> FloatArray: ...

    async def encode_slowly(self, texts: Sequence[str]) -> FloatArray: ...

    def place(self, text: FloatArray) -> FloatArray: ...


class LiveCatalogue:
    """Items by id and by slot. All methods belong to the event loop's thread."""

    def __init__(self, store: CatalogueStore, trained: Trained, version: str, index: ItemIndex, texts: Texts) -> None:
        self.index = index
        self.changed: list[int] = []  # slots in the order in which their items came or changed: only ever appended to
        self._store = store
        self._trained = trained
        self._version = version
        self._texts = texts
        self._row_of = {item.item_id: row for row, item in enumerate(trained.items)}
        self._slot_of: dict[ItemId, int] = dict(self._row_of)
        self._items: list[Item] = list(trained.items)
        self._rows: list[int] = list(range(len(trained.items)))
        self._newer_text: list[FloatArray] = []  # (2T,) each
        self.created_at: dict[ItemId, datetime] = {}  # of the items that were put; nobody knows of the bundle's
        self._newer_slot_of: dict[ItemId, int] = {}
        self._shares = long_run_share(np.append(trained.n_events, 0), trained.unseen_events)  # of NO_ROW, the last
        self._unseen_prior = unseen_prior(trained.n_events, trained.unseen_events)
        self._seq = 0
        self._catching_up = asyncio.Lock()

    async def put(self, item: Item) -> bool:
        """Create or replace; True if created. It is then durable, and retrievable here; elsewhere within a second."""
        (text,) = await self._texts.encode([item_text(item)])
        created = await self._store.put(item, text, self._version)
        await self.catch_up()
        return created

    async def put_many(self, items: Sequence[Item]) -> int:
        """Create or replace items, each id once; how many were created. Encoded behind whatever else wants encoding.

        An item whose text is as it was keeps its vector.
        """
        vectors = {item.item_id: self._text_kept(item) for item in items}
        missing = [item for item in items if vectors[item.item_id] is None]
        if missing:
            encoded = await self._texts.encode_slowly([item_text(item) for item in missing])
            vectors |= {item.item_id: vector for item, vector in zip(missing, encoded, strict=True)}
        rows = [(item, vector) for item in items if (vector := vectors[item.item_id]) is not None]
        created = await self._store.put_many(rows, self._version)
        await self.catch_up()
        return created

    async def revise(self, item_id: ItemId, change: Callable[[Item], Item]) -> Item:
        """Apply `change` to the item as it is, whoever else changes it at the time; give what it has become.

        Raises UnknownItem, what `change` raises, and Overloaded where others kept on changing the item.
        """
        for _ in range(MOST_TRIES):
            item, seq = await self._store.get_with_seq(item_id)
            changed = change(item)
            text = None
            if item_text(changed) != item_text(item):
                (vector,) = await self._texts.encode([item_text(changed)])
                text = (vector, self._version)
            if await self._store.revise(changed, seq, text):
                await self.catch_up()
                return changed
        raise Overloaded(f"item {item_id!r} was changed by others {MOST_TRIES} times in a row: try again")

    def pages(self) -> AsyncIterator[list[Item]]:
        """All items, hidden ones too, by id, a page at a time: from the store."""
        return self._store.pages()

    async def delete(self, item_id: ItemId) -> None:
        """Raises UnknownItem."""
        await self._store.delete(item_id)
        await self.catch_up()

    async def get(self, item_id: ItemId) -> Item:
        """From the store, so that it is true of every process at once. Raises UnknownItem."""
        return await self._store.get(item_id)

    async def seed(self) -> int:
        """Enter the bundle's items into the store, but for those it has met before (deleted ones stay deleted)."""
        return await self._store.seed(self._trained.items)

    def find_slot(self, item_id: ItemId) -> int | None:
        """Slot of an item, deleted ones too: what somebody watched still tells of their taste."""
        return self._slot_of.get(item_id)

    def find_served(self, item_ids: Sequence[ItemId]) -> tuple[IntArray, tuple[ItemId, ...]]:
        """Slots of those that may be shown, each once, in order; and the ids of the others."""
        asked = list(dict.fromkeys(item_ids))
        served = [item_id for item_id in asked if self.is_served(item_id)]
        unknown = tuple(item_id for item_id in asked if not self.is_served(item_id))
        return np.array([self._slot_of[item_id] for item_id in served], dtype=np.int64), unknown

    def is_served(self, item_id: ItemId) -> bool:
        """Whether the item may be shown: known, and neither deleted nor hidden."""
        slot = self._slot_of.get(item_id)
        return slot is not None and self.index.is_alive(slot)

    @property
    def version(self) -> int:
        """Another number after every change, in this process."""
        return self._seq

    def items(self) -> tuple[Item, ...]:
        """By slot, those not served included: as they are now, whatever changes later."""
        return tuple(self._items)

    def slots_of(self, item_ids: Sequence[ItemId]) -> IntArray:
        """(n,) slots, -1 for items that are not known. One look-up at a time: any thread may ask."""
        return np.array([self._slot_of.get(item_id, -1) for item_id in item_ids], dtype=np.int64)

    def item_at(self, slot: int) -> Item:
        return self._items[slot]

    def rows_at(self, slots: IntArray) -> IntArray:
        """Item rows of the bundle, NO_ROW for items it was not trained on."""
        return np.array([self._rows[slot] for slot in slots], dtype=np.int64)

    def met_at(self, slots: IntArray) -> BoolArray:
        """(n,) whether training saw an event of the item, so that its ID block is its own."""
        rows = self.rows_at(slots)
        return (rows != NO_ROW) & (self._trained.n_events[rows] > 0)

    def text_at(self, slots: IntArray) -> FloatArray:
        """(n, T) text vectors."""
        known, dim = len(self._trained.items), self._trained.text.shape[1]
        vectors = [self._trained.text[s] if s < known else self._newer_text[s - known][:dim] for s in slots]
        return np.stack(vectors) if vectors else np.empty((0, dim), dtype=np.float32)

    async def vectors_of_text(self, items: Sequence[Item]) -> FloatArray:
        """(n, D + PRIOR_DIM) of items as if they were new: their text, and what behaviour told of texts like theirs."""
        if not items:
            return np.empty((0, self.index.dim), dtype=np.float32)
        texts = await self._texts.encode([item_text(item) for item in items])
        return np.stack([np.concatenate([self._place(text), self._unseen_prior]) for text in texts])

    def tell_trend(self, lately: FloatArray) -> None:
        """lately: (n,) decayed likes of the items in the first slots; the others have none yet."""
        told = np.pad(lately, (0, self.index.n_slots - len(lately)))
        self.index.rewrite_last(trend(told, self._shares[self._rows]))

    async def catch_up(self) -> None:
        """Apply every change committed before this call."""
        async with self._catching_up:
            while changes := await self._store.changes_since(self._seq, FEED_PAGE):
                await self._apply(changes)
                self._seq = changes[-1].seq

    async def follow(self, poll_s: float) -> None:
        """Keep up with other processes until cancelled. A store that fails is asked again; the catalogue stays."""
        while True:
            await asyncio.sleep(poll_s)
            try:
                await self.catch_up()
            except Exception:
                log.exception("catalogue_feed_failed")

    async def _apply(self, changes: Sequence[CatalogueChange]) -> None:
        texts = await self._texts_of([change for change in changes if self._is_newer(change)])
        newer = await asyncio.to_thread(lambda: {name: (text, self._place(text)) for name, text in texts.items()})
        for start in range(0, len(changes), PIECE):
            self._apply_piece(changes[start : start + PIECE], newer)
            await asyncio.sleep(0)

    def _apply_piece(
        self, changes: Sequence[CatalogueChange], newer: dict[ItemId, tuple[FloatArray, FloatArray]]
    ) -> None:
        """newer: text vector and item vector of the items that the bundle's vectors do not stand for."""
        for change in changes:
            self._retire(change.item_id)
            self.created_at.pop(change.item_id, None)
            if change.item is None:
                continue
            if change.created_at is not None:
                self.created_at[change.item_id] = change.created_at
            if change.item_id in newer:
                slot = self._add(change.item, *newer[change.item_id])
            else:
                slot = self._row_of[change.item_id]
                self._items[slot] = change.item
                self.index.revive(slot)
            self._slot_of[change.item_id] = slot
            if change.item.hidden:
                self.index.remove(slot)
            self.changed.append(slot)

    def _is_newer(self, change: CatalogueChange) -> bool:
        """Whether the bundle's vector does not stand for this item: it is new, or its text has changed."""
        if change.item is None:
            return False
        row = self._row_of.get(change.item_id)
        return row is None or item_text(self._trained.items[row]) != item_text(change.item)

    async def _texts_of(self, changes: Sequence[CatalogueChange]) -> dict[ItemId, FloatArray]:
        """(2T,) of each: as stored by whoever wrote the item with this bundle, encoded now otherwise."""
        texts = {c.item_id: c.vector for c in changes if c.vector is not None and c.vector_version == self._version}
        missing = [c.item for c in changes if c.item is not None and c.item_id not in texts]
        if missing:
            vectors = await self._texts.encode([item_text(item) for item in missing])
            texts |= {item.item_id: vector for item, vector in zip(missing, vectors, strict=True)}
        return texts

    def _retire(self, item_id: ItemId) -> None:
        if (slot := self._slot_of.get(item_id)) is not None:
            self.index.remove(slot)

    def _place(self, text: FloatArray) -> FloatArray:
        """(D,) of a newcomer. Each by itself: in a batch the last bits differ with its size, and so would two
        processes."""
        vector = self._texts.place(text[None])[0]
        vector[self._trained.space.shape.behaviour] = self._trained.known.twins(text[: self._trained.text.shape[1]])
        return vector

    def _add(self, item: Item, text: FloatArray, vector: FloatArray) -> int:
        """A slot beside the bundle's, the item's own where it has one: text of now, behaviour as trained where any.

        text: (2T,). vector: (D,) as if nothing had been trained on the item.
        """
        row, prior = self._row_of.get(item.item_id, NO_ROW), self._unseen_prior
        if row != NO_ROW:
            id_block = self._trained.space.shape.behaviour
            vector[id_block], prior = self._trained.vectors[row, id_block], self._trained.prior[row]
        whole = np.concatenate([vector, prior])
        slot = self._newer_slot_of.get(item.item_id)
        if slot is not None:
            self.index.replace(slot, whole)
            self._items[slot] = item
            self._newer_text[slot - len(self._trained.items)] = text
            return slot
        slot = self._newer_slot_of[item.item_id] = self.index.add(whole)
        self._items.append(item)
        self._rows.append(row)
        self._newer_text.append(text)
        return slot

    def _text_kept(self, item: Item) -> FloatArray | None:
        """(2T,) of the item as served, where its text is the same."""
        slot, known = self._slot_of.get(item.item_id), len(self._trained.items)
        if slot is None or item_text(self._items[slot]) != item_text(item):
            return None
        if slot >= known:
            return self._newer_text[slot - known]
        return np.concatenate([self._trained.text[slot], self._trained.words[slot]])
