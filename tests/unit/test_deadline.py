import asyncio

import pytest

from app.deadline import RESERVE_S, answer_within, in_time
from app.errors import Overloaded

pytestmark = pytest.mark.anyio


async def wait_forever() -> None:
    await asyncio.Event().wait()


async def test_without_a_deadline_whatever_is_awaited_may_take_its_time() -> None:
    async with in_time("encoder"):
        await asyncio.sleep(0)
    with answer_within(None) as deadline:
        async with in_time("encoder"):
            await asyncio.sleep(0)
    assert not deadline.passed


async def test_what_would_take_longer_is_cut_short_and_the_deadline_knows() -> None:
    told = pytest.raises(Overloaded, match="no answer from the encoder before")
    with answer_within(RESERVE_S * 1_000 + 5) as deadline, told:
        async with in_time("encoder"):
            await wait_forever()
    assert deadline.passed


async def test_a_deadline_shorter_than_what_is_kept_back_gives_way_at_once() -> None:
    with answer_within(1) as deadline, pytest.raises(Overloaded):
        async with in_time("encoder"):
            await wait_forever()
    assert deadline.passed


async def test_tasks_of_a_request_are_under_its_deadline_and_others_are_not() -> None:
    async def waits() -> str:
        try:
            async with in_time("encoder"):
                await asyncio.wait_for(wait_forever(), 0.1)
        except Overloaded:
            return "cut short"
        except TimeoutError:
            return "on its own time"
        return "done"

    other = asyncio.create_task(waits())
    with answer_within(1):
        assert await asyncio.gather(waits(), waits()) == ["cut short"] * 2
    assert await other == "on its own time"


async def test_an_error_of_ones_own_comes_through_as_it_is() -> None:
    with answer_within(1_000) as deadline, pytest.raises(KeyError):
        async with in_time("encoder"):
            raise KeyError
    assert not deadline.passed
