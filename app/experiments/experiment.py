"""An experiment and its arms, and which arm a unit belongs to."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

TRAFFIC, ARM = b"traffic", b"arm"


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of serving. share: of the units in the experiment, above 0; shares need not sum to 1.

    What is None is left as the request has it. bundle: version of the bundle that answers. placement: the one whose
    rules are used. diversity, novelty, exploration: 0 to 1.
    """

    name: str
    share: float = 1.0
    bundle: str | None = None
    placement: str | None = None
    diversity: float | None = None
    novelty: float | None = None
    exploration: float | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """Two arms or more, the first being what the others are compared with.

    placements: only requests for these take part; all of them when empty. traffic: share of units that take part.
    success_types: an event of one of these types that followed from a slate makes its unit a success; any event but a
    refusal when empty. effect: the difference in success rates that is hoped for. max_days: given up after them.
    started_at: results count from here; set anew whenever what is served changes.
    """

    name: str
    arms: tuple[Arm, ...]
    started_at: datetime
    running: bool = True
    placements: tuple[str, ...] = ()
    traffic: float = 1.0
    success_types: tuple[str, ...] = ()
    effect: float = 0.02
    confidence: float = 0.95
    max_days: int = 28
    about: str = ""

    def arm_of(self, unit: str) -> Arm | None:
        """The unit's arm, always the same; None for a unit that takes no part.

        Two independent hashes: raising `traffic` brings new units in and moves none from arm to arm.
        """
        if _fraction(self.name, TRAFFIC, unit) >= self.traffic:
            return None
        left = _fraction(self.name, ARM, unit) * sum(arm.share for arm in self.arms)
        for arm in self.arms:
            left -= arm.share
            if left < 0:
                return arm
        return self.arms[-1]

    @property
    def placement_names(self) -> tuple[str, ...]:
        """Every placement it names, each once: whose requests take part, and whose rules arms use."""
        of_arms = (arm.placement for arm in self.arms if arm.placement is not None)
        return tuple(dict.fromkeys((*self.placements, *of_arms)))

    def label(self, arm: Arm) -> str:
        """What slates are marked with."""
        return f"{self.name}/{arm.name}"

    def serves_as(self, other: "Experiment") -> bool:
        """Whether both put every unit into the same arm and serve it alike."""
        return (self.arms, self.traffic, self.placements) == (other.arms, other.traffic, other.placements)


def _fraction(name: str, purpose: bytes, unit: str) -> float:
    """0 to 1, evenly over units, and independent of other experiments and purposes."""
    digest = blake2b(unit.encode(), digest_size=8, key=name.encode()[:64], person=purpose).digest()
    return int.from_bytes(digest, "big") / 2**64
