"""A circuit breaker: a dependency that fails is asked again once a pause, by one caller, while the others do without.

Twenty lines of our own: purgatory lets every waiting caller through when its pause is over, so a dead Redis would cost
each of them a timeout, and pauses by the wall clock; pybreaker's asynchronous calls are Tornado's.
"""

from collections.abc import Callable
from time import monotonic


class CircuitBreaker:
    """Closed until the first failure; then open until a success. clock: seconds, growing."""

    def __init__(self, pause_s: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        self._pause_s = pause_s
        self._clock = clock
        self._retry_at: float | None = None

    def allows(self) -> bool:
        """Whether to try. While open: True for one caller a pause, who tells what came of it."""
        if self._retry_at is None:
            return True
        if self._clock() < self._retry_at:
            return False
        self.failed()  # for as long as nothing else is known; a probe that is cancelled leaves it so
        return True

    def failed(self) -> None:
        self._retry_at = self._clock() + self._pause_s

    def succeeded(self) -> None:
        self._retry_at = None
