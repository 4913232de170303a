"""The time that one request gives us. Whatever waits asks how much is left, and gives way instead of answering late.

Held in a context variable: it follows the request into every task started for it, and no signature has to carry it.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic

from app.errors import Overloaded

RESERVE_S = 0.01
"""Kept back from every wait for the stages that are never left out: search, scores and the plain reasons."""


@dataclass(slots=True)
class Deadline:
    """ends_at_s: on the monotonic clock; infinite without a deadline. passed: whether anything was cut short by it."""

    ends_at_s: float = math.inf
    passed: bool = False

    def left_s(self) -> float:
        """Seconds that may be waited. Not above zero: give way at once, and say so by `passed`."""
        return self.ends_at_s - monotonic() - RESERVE_S


_current: ContextVar[Deadline] = ContextVar("deadline")


@contextmanager
def answer_within(budget_ms: float | None) -> Iterator[Deadline]:
    """From now on the request has so many milliseconds; None: as many as it takes."""
    deadline = Deadline() if budget_ms is None else Deadline(monotonic() + budget_ms / 1_000)
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.reset(token)


def was_cut_short() -> bool:
    """Whether anything of the current request was, at its deadline."""
    deadline = _current.get(None)
    return deadline is not None and deadline.passed


@asynccontextmanager
async def in_time(what: str) -> AsyncIterator[None]:
    """What is awaited inside is cut short at the request's deadline. Raises Overloaded then."""
    deadline = _current.get(None)
    if deadline is None or deadline.ends_at_s == math.inf:
        yield
        return
    try:
        async with asyncio.timeout(max(0.0, deadline.left_s())):
            yield
    except TimeoutError:
        deadline.passed = True
        raise Overloaded(f"no answer from the {what} before the request's deadline") from None
