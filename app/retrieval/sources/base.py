"""What a candidate source is, and what it may look at. A new one is one file: here, or in a package of its own
(`app.retrieval.sources.plugins`).

Sources only propose. All candidates are scored by the same scorer, so a source can widen a choice, never distort it.
"""

from dataclasses import dataclass
from typing import Protocol

from app.domain import BoolArray, IntArray, SlateRequest
from app.interests.intent import Intent
from app.placements.placement import Placement
from app.scoring.scorer import Query


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, as far as it is known when candidates are looked for.

    placement: `app.placements.surface.NO_PLACEMENT` where the request names none. eligible:
    (n_slots,) True for the slots that may be proposed: alive, and kept by the request's own rules.
    """

    request: SlateRequest
    placement: Placement
    intent: Intent
    query: Query
    eligible: BoolArray

    def first(self, slots: IntArray, n: int) -> IntArray:
        """The first n eligible of slots that are in an order already; slots newer than the mask are left out."""
        slots = slots[(slots >= 0) & (slots < len(self.eligible))]
        return slots[self.eligible[slots]][:n]


class CandidateSource(Protocol):
    """Proposes items for a request. Asked on the event loop: what takes over a millisecond goes to a thread."""

    @property
    def name(self) -> str:
        """A word in lower case: what the answer's `sources` and a placement's quotas call it."""
        ...

    async def propose(self, ask: Ask, n: int) -> IntArray:
        """Up to n eligible slots, best first, each once; none where the source has nothing to say."""
        ...
