"""Text to vectors, behind micro-batch queues: of items by both encoders, of what people say by that of words alone."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from time import monotonic

import numpy as np
import torch

from app.batching import MicroBatcher
from app.domain import FloatArray
from app.telemetry import QueueName, count_look_up
from app.trained import Trained

KEPT_PHRASES = 2_000  # 384 floats each: 3 MB; the same few searches come again and again
QUEUE_SHARE = 64
BATCH = 32
PIECE = 4
"""Texts in a piece at least: four short ones cost little more than one."""
PIECE_S = 0.03
"""How long a request may find the encoder busy with work that can wait."""


class TextVectors:
    """The two encoders, asked from the event loop and computed off it.

    What an item's text comes to is 2T numbers: T as the tuned encoder reads it, T as that of words does.
    """

    def __init__(self, trained: Trained, executor: Executor) -> None:
        self._trained = trained
        self._executor = executor
        self._items = self._queue("item encoder", self._compute)
        self._words = self._queue("words encoder", self._compute_words)
        self._piece = PIECE
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()

    @property
    def dim(self) -> int:
        """T."""
        return self._trained.text.shape[1]

    async def encode(self, texts: Sequence[str]) -> FloatArray:
        """(len(texts), 2T) float32 of items' texts. Raises Overloaded."""
        return await _gather(self._items.ask, texts)

    async def encode_words(self, texts: Sequence[str]) -> FloatArray:
        """(len(texts), T) float32 of what somebody says. Raises Overloaded."""
        return await _gather(self._encode_words, texts)

    async def encode_slowly(self, texts: Sequence[str]) -> FloatArray:
        """As `encode`, for work that can wait: in pieces of about `PIECE_S`, and what is asked meanwhile comes between.

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
        """(n, 2T) of items' texts to (n, D) vectors of the one space: no behaviour."""
        text, words = (torch.from_numpy(half).to(self._device) for half in np.split(text, 2, axis=1))
        with torch.inference_mode():
            return self._trained.space.text_vectors(text, words).cpu().numpy()

    def place_words(self, said: FloatArray) -> FloatArray:
        """(n, T) of what somebody says to (n, D) vectors of the one space: unit length, in the words block alone."""
        with torch.inference_mode():
            return self._trained.space.words_vectors(torch.from_numpy(said).to(self._device)).cpu().numpy()

    def place_labels(self) -> FloatArray:
        """(P, D) of the bundle's phrases, as items of these texts would be."""
        if not self._trained.phrases:
            return np.empty((0, self._trained.space.shape.dim), dtype=np.float32)
        return self.place(np.hstack([self._trained.phrase_text, self._trained.phrase_words]))

    async def close(self) -> None:
        await self._items.close()
        await self._words.close()

    def _queue(
        self, name: QueueName, compute: Callable[[Sequence[str]], Sequence[FloatArray]]
    ) -> MicroBatcher[str, FloatArray]:
        return MicroBatcher(name, compute, self._executor, max_batch=BATCH, max_queue=QUEUE_SHARE)

    @property
    def _device(self) -> torch.device:
        return self._trained.item_encoder.device

    async def _encode_words(self, text: str) -> FloatArray:
        count_look_up("phrases", hit=text in self._kept)
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        vector = await self._words.ask(text)
        self._kept[text] = vector
        if len(self._kept) > KEPT_PHRASES:
            self._kept.popitem(last=False)
        return vector

    def _compute(self, texts: Sequence[str]) -> list[FloatArray]:
        encoders = self._trained.item_encoder, self._trained.words_encoder
        return list(np.hstack([encoder.encode(list(texts)).numpy() for encoder in encoders]))

    def _compute_words(self, texts: Sequence[str]) -> list[FloatArray]:
        return list(self._trained.words_encoder.encode(list(texts)).numpy())


async def _gather(ask: Callable[[str], Awaitable[FloatArray]], texts: Sequence[str]) -> FloatArray:
    """A batch at a time: more would not find room in the queue."""
    vectors: list[FloatArray] = []
    for start in range(0, len(texts), BATCH):
        vectors += await asyncio.gather(*(ask(text) for text in texts[start : start + BATCH]))
    return np.stack(vectors)
