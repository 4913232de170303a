"""The rules of a placement, told in terms of one request's candidates: what may, and what must, stand where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.domain import BoolArray

PINNED = "pinned"
SPONSORED = "sponsored"
EXPLORED = "explored"


@dataclass(frozen=True, slots=True)
class Cap:
    """members: (C,) True for the candidates that it counts. at_most: how many of them a slate may hold."""

    members: BoolArray
    at_most: int


@dataclass(frozen=True, slots=True)
class SlateRules:
    """Rules of one slate of C candidates. Places count from 0.

    pinned: place to candidate; a pin outranks every other rule. sponsored: (C,) candidates that may stand at
    sponsored_places, and at no others but where they are pinned; None where nothing is sponsored.
    """

    pinned: Mapping[int, int] = field(default_factory=dict)
    caps: Sequence[Cap] = ()
    sponsored: BoolArray | None = None
    sponsored_places: frozenset[int] = frozenset()


NO_RULES = SlateRules()


def sponsored_places(k: int, share: float) -> frozenset[int]:
    """The largest number of places that is no more than share * k, spread evenly, never the first if there is another.

    k = 20 and share = 0.2: places 2, 7, 12 and 17.
    """
    n = int(k * share + 1e-9)
    return frozenset(int((i + 0.5) * k / n) for i in range(n))


class RuleBook:
    """Follows one slate while it is filled, and tells who may stand at the next place."""

    def __init__(self, rules: SlateRules, n_candidates: int) -> None:
        self._rules = rules
        self._open = np.ones(n_candidates, dtype=np.bool_)
        self._open[list(rules.pinned.values())] = False  # they wait for their own places
        self._room = [cap.at_most for cap in rules.caps]

    def pinned_at(self, place: int) -> int | None:
        return self._rules.pinned.get(place)

    def allowed(self, place: int) -> tuple[BoolArray, bool]:
        """(C,) who may be chosen for a place that has no pin, and whether the choice is a sponsored one."""
        sponsored = self._rules.sponsored
        if sponsored is None:
            return self._open, False
        paid = self._open & sponsored
        if place in self._rules.sponsored_places and paid.any():
            return paid, True
        return self._open & ~sponsored, False

    def take(self, candidate: int) -> None:
        """The candidate stands in the slate; caps that are reached close their other members."""
        self._open[candidate] = False
        for number, cap in enumerate(self._rules.caps):
            if cap.members[candidate]:
                self._room[number] -= 1
                if self._room[number] <= 0:
                    self._open &= ~cap.members

    def may_replace(self, leaves: int, comes: BoolArray) -> BoolArray:
        """(C,) those of `comes` that count against no cap but those that the leaving candidate counts against."""
        for cap in self._rules.caps:
            if not cap.members[leaves]:
                comes = comes & ~cap.members
        return comes if self._rules.sponsored is None else comes & ~self._rules.sponsored
