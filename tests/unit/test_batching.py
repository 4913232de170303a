import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.batching import MicroBatcher
from app.errors import Overloaded

pytestmark = pytest.mark.anyio


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


class Squares:
    """Computes squares, keeping each batch; holds the first one until `go` is set."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        self.begun = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.batches.append(list(asked))
        self.begun.set()
        assert self.go.wait(10)
        return [number**2 for number in asked]


@pytest.fixture
def squares() -> Iterator[Squares]:
    squares = Squares()
    yield squares
    squares.go.set()


Make = Callable[..., MicroBatcher[int, int]]


@pytest.fixture
async def make(executor: ThreadPoolExecutor, squares: Squares) -> AsyncIterator[Make]:
    made: list[MicroBatcher[int, int]] = []

    def batcher(
        compute: Callable[[Sequence[int]], Sequence[int]] = squares, max_batch: int = 4, max_queue: int = 8
    ) -> MicroBatcher[int, int]:
        made.append(MicroBatcher("squarer", compute, executor, max_batch=max_batch, max_queue=max_queue))
        return made[-1]

    yield batcher
    squares.go.set()
    for each in made:
        await each.close()


async def ask_behind_one(batcher: MicroBatcher[int, int], squares: Squares, *numbers: int) -> list[asyncio.Task[int]]:
    """Ask 0 and, once it is being computed, the numbers: they wait in the queue."""
    tasks = [asyncio.create_task(batcher.ask(0))]
    async with asyncio.timeout(10):
        assert await asyncio.to_thread(squares.begun.wait, 10)
        tasks += [asyncio.create_task(batcher.ask(number)) for number in numbers]
        await asyncio.sleep(0)
    return tasks


async def test_everybody_gets_their_own_answer(make: Make, squares: Squares) -> None:
    tasks = await ask_behind_one(make(), squares, 5, 3, 4)
    squares.go.set()
    assert await asyncio.gather(*tasks) == [0, 25, 9, 16]


async def test_what_gathers_meanwhile_is_computed_together_in_order(make: Make, squares: Squares) -> None:
    tasks = await ask_behind_one(make(), squares, 1, 2, 3)
    squares.go.set()
    await asyncio.gather(*tasks)
    assert squares.batches == [[0], [1, 2, 3]]


async def test_no_batch_is_larger_than_the_most(make: Make, squares: Squares) -> None:
    tasks = await ask_behind_one(make(max_batch=2), squares, 1, 2, 3, 4, 5)
    squares.go.set()
    await asyncio.gather(*tasks)
    assert squares.batches == [[0], [1, 2], [3, 4], [5]]


async def test_one_too_many_is_refused_at_once(make: Make, squares: Squares) -> None:
    batcher = make(max_queue=2)
    tasks = await ask_behind_one(batcher, squares, 1, 2)
    assert batcher.waiting == 2
    with pytest.raises(Overloaded, match="2 requests already wait for the squarer"):
        await batcher.ask(3)
    squares.go.set()
    assert await asyncio.gather(*tasks) == [0, 1, 4]


async def test_nothing_is_computed_for_a_caller_that_gave_up(make: Make, squares: Squares) -> None:
    tasks = await ask_behind_one(make(), squares, 1, 2, 3)
    tasks[2].cancel()
    await asyncio.sleep(0)
    squares.go.set()
    assert await asyncio.gather(*tasks[:2], tasks[3]) == [0, 1, 9]
    assert squares.batches == [[0], [1, 3]]


async def test_a_batch_that_everybody_gave_up_is_passed_over(make: Make, squares: Squares) -> None:
    batcher = make()
    tasks = await ask_behind_one(batcher, squares, 1)
    tasks[1].cancel()
    squares.go.set()
    assert await tasks[0] == 0
    assert await batcher.ask(2) == 4
    assert squares.batches == [[0], [2]]


async def test_a_caller_that_gives_up_during_the_computation_harms_nobody(make: Make, squares: Squares) -> None:
    batcher = make()
    (task,) = await ask_behind_one(batcher, squares)
    task.cancel()
    squares.go.set()
    assert await batcher.ask(3) == 9


async def test_a_failure_reaches_everybody_in_the_batch_and_nobody_after(make: Make, squares: Squares) -> None:
    def fail_on_one(asked: Sequence[int]) -> list[int]:
        if 1 in asked:
            raise RuntimeError("no squares today")
        return squares(asked)

    batcher = make(fail_on_one)
    tasks = await ask_behind_one(batcher, squares, 1, 2)
    squares.go.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[0] == 0
    assert [str(outcome) for outcome in outcomes[1:]] == ["no squares today"] * 2
    assert await batcher.ask(3) == 9


async def test_an_answer_too_few_is_a_failure_and_no_silence(make: Make, squares: Squares) -> None:
    batcher = make(lambda asked: [7] * (len(asked) - 1))
    with pytest.raises(ValueError, match="shorter"):
        await asyncio.wait_for(batcher.ask(1), 10)
    with pytest.raises(ValueError, match="shorter"):
        await asyncio.wait_for(batcher.ask(2), 10)


async def test_closing_tells_whoever_still_waits(make: Make, squares: Squares) -> None:
    batcher = make(max_batch=1)
    tasks = await ask_behind_one(batcher, squares, 1, 2)
    await batcher.close()
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    assert [type(outcome) for outcome in outcomes] == [Overloaded] * 3


async def test_a_closed_batcher_takes_no_questions(make: Make) -> None:
    batcher = make()
    await batcher.close()
    with pytest.raises(Overloaded, match="the squarer is shutting down"):
        await batcher.ask(1)
