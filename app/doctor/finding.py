"""What a check finds, and the run of all checks."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.errors import PenchantError
from app.settings import Settings


class State(StrEnum):
    """FINE: nothing to do. DOUBTFUL: it serves, but look at it. BROKEN: it does not serve, or loses what it is told."""

    FINE = "fine"
    DOUBTFUL = "doubtful"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """found: what is so, with numbers. do: what to do about it, "" where nothing is."""

    state: State
    found: str
    do: str = ""


def fine(found: str) -> Finding:
    return Finding(State.FINE, found)


def doubtful(found: str, do: str) -> Finding:
    return Finding(State.DOUBTFUL, found, do)


def broken(found: str, do: str) -> Finding:
    return Finding(State.BROKEN, found, do)


Check = Callable[[Settings], Iterable[Finding]]


def examine(settings: Settings, checks: Iterable[tuple[str, Check]]) -> Iterator[tuple[str, Finding]]:
    """Every finding beside the name of its check. A check that fails itself is broken too, and the next ones still run.

    The messages of our own errors already say what to do.
    """
    for name, check in checks:
        try:
            for finding in check(settings):
                yield name, finding
        except PenchantError as error:
            yield name, broken(str(error), "")
        except Exception as error:  # a missing library, a foreign error: whatever it is, it stops the server too
            yield name, broken(f"{type(error).__name__}: {error}", "mend the installation: pip install penchant again")
