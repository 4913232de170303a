"""Text to vectors, for items and for words alike: the item encoder behind a micro-batch queue, recent phrases kept."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
import torch

from app.batching import MicroBatcher
from app.domain import FloatArray
from app.trained import Trained

KEPT_PHRASES = 2_000  # 384 floats each: 3 MB; the same few searches come again and again
QUEUE_SHARE = 64
BATCH = 32


class TextVectors:
    """The item encoder, asked from the event loop and computed off it."""

    def __init__(self, trained: Trained, executor: Executor) -> None:
        self._trained = trained
        self._batcher = MicroBatcher[str, FloatArray](
            "item encoder", self._compute, executor, max_batch=BATCH, max_queue=QUEUE_SHARE
        )
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()

    async def encode(self, texts: Sequence[str]) -> FloatArray:
        """(len(texts), T) float32 unit vectors. Raises Overloaded."""
        vectors = []
        for start in range(0, len(texts), BATCH):
            vectors += await asyncio.gather(*(self._encode_one(text) for text in texts[start : start + BATCH]))
        return np.stack(vectors)

    def place(self, text: FloatArray) -> FloatArray:
        """(n, T) text vectors to (n, D) vectors of the one space: no behaviour, unit length."""
        space = self._trained.space
        with torch.inference_mode():
            return space.phrase_vectors(torch.from_numpy(text).to(self._trained.item_encoder.device)).cpu().numpy()

    async def close(self) -> None:
        await self._batcher.close()

    async def _encode_one(self, text: str) -> FloatArray:
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        vector = await self._batcher.ask(text)
        self._kept[text] = vector
        if len(self._kept) > KEPT_PHRASES:
            self._kept.popitem(last=False)
        return vector

    def _compute(self, texts: Sequence[str]) -> list[FloatArray]:
        return list(self._trained.item_encoder.encode(list(texts)).numpy())
