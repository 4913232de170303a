"""The one space as a map: items, and who asks among them, in the two directions that the catalogue varies in most.

    place(v) = (v - mean) . (first two principal axes of the bundle's item vectors)

The axes belong to the bundle, so the map stands still while users and items move on it. Two dimensions keep a part of
what D tell, and `share` says how much. An interest vector asks for a direction and has no place of its own, so it is
drawn at the length of an average item; what it truly asks for is told beside it, measured in all D dimensions.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import FloatArray, IntArray, Item, SlateRequest, Source
from app.explanation.map_places import MapInterest, MapItem, SpaceMap
from app.interests.intent import Intent, IntentReader
from app.interests.phrases import Phrasebook
from app.trained import Trained

SAMPLE = 50_000  # rows that the axes are taken from: past it they no longer move, and the sum would take seconds
NEAREST = 5


@dataclass(frozen=True, slots=True)
class Projection:
    """mean: (D,). axes: (2, D), unit length. share: of the variance along each. length: of an average item vector."""

    mean: FloatArray
    axes: FloatArray
    share: tuple[float, float]
    length: float

    def place(self, vectors: FloatArray) -> FloatArray:
        """(n, D) to (n, 2)."""
        return ((vectors - self.mean) @ self.axes.T).astype(np.float32, copy=False)

    def place_directions(self, vectors: FloatArray) -> FloatArray:
        """(n, D) to (n, 2), each drawn at the length of an average item; a vector of zeros is the origin's place."""
        norms = np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)
        return self.place(vectors / np.maximum(norms, 1e-12) * self.length)


def fit_projection(vectors: FloatArray) -> Projection:
    """Principal axes of (N, D) item vectors, N at least 1. The signs are fixed: each axis's largest entry is positive.

    Where the vectors vary in fewer than two directions, the axes left over keep a share of 0.
    """
    sample = vectors[:: max(1, len(vectors) // SAMPLE)].astype(np.float64)
    mean = sample.mean(axis=0)
    centred = sample - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(sample))  # ascending
    axes = directions[:, ::-1].T[:2]
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    kept = np.maximum(variances[::-1][:2], 0) / max(float(variances.sum()), 1e-12)
    return Projection(
        mean.astype(np.float32),
        axes.astype(np.float32),
        (float(kept[0]), float(kept[1])),
        float(np.linalg.norm(sample, axis=1).mean()),
    )


class Cartographer:
    """Draws maps of one bundle. The axes are found at the first map, in a thread, and kept."""

    def __init__(
        self, bundle: str, trained: Trained, catalogue: LiveCatalogue, intents: IntentReader, phrasebook: Phrasebook
    ) -> None:
        self._bundle = bundle
        self._trained = trained
        self._catalogue = catalogue
        self._intents = intents
        self._phrasebook = phrasebook
        self._by_events = np.argsort(-trained.n_events, kind="stable")
        self._projection: Projection | None = None
        self._fitting = asyncio.Lock()

    async def draw(self, request: SlateRequest, limit: int) -> SpaceMap:
        """The items with most training events, up to `limit`, and the rows of the request's intent.

        A request for nobody, or for a user of whom nothing is known, gives a map without interests.
        """
        projection = await self._fitted()
        intent = await self._intents.read(request)
        slots = self._chosen(limit)
        vectors = self._catalogue.index.gather(slots)[:, : projection.mean.size]
        items = [self._catalogue.item_at(int(slot)) for slot in slots]
        n_items = self._catalogue.index.n_alive
        return await asyncio.to_thread(self._draw, projection, intent, request.words, items, vectors, n_items)

    async def _fitted(self) -> Projection:
        async with self._fitting:
            if self._projection is None:
                self._projection = await asyncio.to_thread(fit_projection, self._trained.vectors)
            return self._projection

    def _chosen(self, limit: int) -> IntArray:
        """Slots of items that may be shown: the bundle's by their training events, then newer ones as they came."""
        index = self._catalogue.index
        slots = chain(self._by_events.tolist(), range(len(self._by_events), index.n_slots))
        return np.fromiter(islice(filter(index.is_alive, slots), limit), dtype=np.int64)

    def _draw(
        self,
        projection: Projection,
        intent: Intent,
        words: str,
        items: Sequence[Item],
        vectors: FloatArray,
        n_items: int,
    ) -> SpaceMap:
        return SpaceMap(
            bundle=self._bundle,
            share=projection.share,
            items=tuple(
                MapItem(item, float(x), float(y)) for item, (x, y) in zip(items, projection.place(vectors), strict=True)
            ),
            interests=self._place_interests(projection, intent, words, items, vectors),
            n_items=n_items,
            degraded=intent.degraded,
        )

    def _place_interests(
        self, projection: Projection, intent: Intent, words: str, items: Sequence[Item], vectors: FloatArray
    ) -> tuple[MapInterest, ...]:
        places = projection.place_directions(intent.interests)
        labels = self._phrasebook.label_interests(intent.interests)
        best = np.argsort(-(intent.interests @ vectors.T), axis=1, kind="stable")[:, :NEAREST]
        return tuple(
            MapInterest(
                label=words if source is Source.WORDS else next(iter(labels[row]), f"interest {row + 1}"),
                source=source,
                x=float(places[row, 0]),
                y=float(places[row, 1]),
                nearest=tuple(items[place].item_id for place in best[row]),
            )
            for row, source in zip(range(len(intent.interests)), intent.sources, strict=False)
        )
