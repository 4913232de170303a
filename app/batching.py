"""Micro-batches: requests that arrive together are computed together, on one thread, behind a bounded queue.

Nothing is held back to fill a batch: whatever has gathered while the last batch was computed is the next one.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

from app.deadline import in_time
from app.errors import Overloaded
from app.telemetry import QueueName, count_batch, set_queue_waiting

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class MicroBatcher(Generic[Asked, Answer]):
    """Calls `compute` with up to `max_batch` things asked, in `executor`, one call at a time.

    compute: gives one answer for each thing asked, in order. max_queue: how many may wait; one more is refused.
    """

    def __init__(
        self,
        name: QueueName,
        compute: Callable[[Sequence[Asked]], Sequence[Answer]],
        executor: Executor,
        *,
        max_batch: int,
        max_queue: int,
    ) -> None:
        self.name = name
        self._compute = compute
        self._executor = executor
        self._max_batch = max_batch
        self._queue: asyncio.Queue[tuple[Asked, asyncio.Future[Answer]]] = asyncio.Queue(max_queue)
        self._runner: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    async def ask(self, asked: Asked) -> Answer:
        """The answer to `asked`. Raises Overloaded at once when the queue is full, and when the batcher is closed, and
        at the request's deadline.

        Nothing is computed for a caller that gives up (a timeout, a client gone) before its turn.
        """
        if self._closed:
            raise self._closing()
        if self._runner is None:
            self._runner = asyncio.create_task(self._run(), name=f"batcher {self.name}")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        set_queue_waiting(self.name, self.waiting + 1)
        try:
            self._queue.put_nowait((asked, answer))
        except asyncio.QueueFull:
            raise Overloaded(f"{self._queue.maxsize} requests already wait for the {self.name}: try again") from None
        async with in_time(self.name):
            return await answer

    async def close(self) -> None:
        """Stop. Whoever still waits is told so by Overloaded."""
        self._closed = True
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        while not self._queue.empty():
            _refuse([self._queue.get_nowait()], self._closing())

    async def _run(self) -> None:
        while True:
            batch = await self._next_batch()
            if batch:
                await self._answer(batch)

    async def _next_batch(self) -> list[tuple[Asked, "asyncio.Future[Answer]"]]:
        gathered = [await self._queue.get()]
        while len(gathered) < self._max_batch and not self._queue.empty():
            gathered.append(self._queue.get_nowait())
        set_queue_waiting(self.name, self.waiting)
        return [(asked, answer) for asked, answer in gathered if not answer.done()]  # done here: nobody waits for it

    async def _answer(self, batch: list[tuple[Asked, "asyncio.Future[Answer]"]]) -> None:
        loop = asyncio.get_running_loop()
        count_batch(self.name, len(batch))
        try:
            answers = await loop.run_in_executor(self._executor, self._compute, [asked for asked, _ in batch])
            answered = list(zip(batch, answers, strict=True))
        except asyncio.CancelledError:
            _refuse(batch, self._closing())
            raise
        except Exception as failure:  # whatever it was, those who wait must hear of it
            _refuse(batch, failure)
            return
        for (_, answer), value in answered:
            if not answer.done():
                answer.set_result(value)

    def _closing(self) -> Overloaded:
        return Overloaded(f"the {self.name} is shutting down: try again")


def _refuse(batch: Sequence[tuple[Asked, "asyncio.Future[Answer]"]], error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)
