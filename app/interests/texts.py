"""Text to vectors, for items and for words alike: the item encoder behind a micro-batch queue, recent phrases kept."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor
from time import monotonic

import numpy as np
import torch

from app.batching import MicroBatcher
from app.domain import FloatArray
from app.trained import Trained

KEPT_PHRASES = 2_000  # 384 floats each: 3 MB; the same few searches come again and again
QUEUE_SHARE = 64
BATCH = 32
PIECE = 4
"""Texts in a piece at least: four short ones cost little more than one."""
PIECE_S = 0.03
"""How long a request may find the encoder busy with work that can wait."""


class TextVectors:
    """The item encoder, asked from the event loop and computed off it."""

    def __init__(self, trained: Trained, executor: Executor) -> None:
        self._trained = trained
        self._batcher = MicroBatcher[str, FloatArray](
            "item encoder", self._compute, executor, max_batch=BATCH, max_queue=QUEUE_SHARE
        )
        self._executor = executor
        self._piece = PIECE
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()

    @property
    def dim(self) -> int:
        """T, the length of a text vector."""
        return self._trained.text.shape[1]

    async def encode(self, texts: Sequence[str]) -> FloatArray:
        """(len(texts), T) float32 unit vectors. Raises Overloaded."""
        vectors = []
        for start in range(0, len(texts), BATCH):
            vectors += await asyncio.gather(*(self._encode_one(text) for text in texts[start : start + BATCH]))
        return np.stack(vectors)

    async def encode_slowly(self, texts: Sequence[str]) -> FloatArray:
        """The same, for work that can wait: in pieces of about `PIECE_S`, and what is asked meanwhile comes between.

        Never refused, since nothing of it waits in the queue.
        """
        vectors = []
        start = 0
        while start < len(texts):
            piece = texts[start : start + self._piece]
            started = monotonic()
            vectors += await asyncio.get_running_loop().run_in_executor(self._executor, self._compute, piece)
            took_s = monotonic() - started
            start += len(piece)
            if len(piece) == self._piece:
                self._piece = max(PIECE, min(BATCH, int(self._piece * PIECE_S / took_s)))
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
