"""Why one item is in a slate that was served, or why it is not: what is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain import ItemId


class Verdict(StrEnum):
    """Where an item stands to a slate, and of one that is not in it, why not."""

    SHOWN = "shown"
    NOT_SERVED = "not_served"
    EXCLUDED = "excluded"
    NEVER = "never"
    SEEN = "seen"
    FILTERED = "filtered"
    BELOW_CUT = "below_cut"
    NOT_PROPOSED = "not_proposed"
    REARRANGED = "rearranged"


@dataclass(frozen=True, slots=True)
class WithoutEvent:
    """What the item would score, and where it would rank, had this event not happened. rank_fall: below 0 it rises."""

    event_id: str
    item_id: ItemId
    title: str
    at: datetime
    score: float
    rank: int
    rank_fall: int
    text: str


@dataclass(frozen=True, slots=True)
class ContextEffect:
    """part: what the context added to the score. open_rank: where the item would rank were nothing known of it."""

    part: float
    open_score: float
    open_rank: int
    text: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would bring the item to `rank`, and whether that is inside a slate of this length.

    kind: event (left out), phrase (steered by), context, exclude, seen, edit, filter. change: the fields to change.
    """

    kind: str
    text: str
    change: Mapping[str, str | float]
    rank: int
    enters: bool


@dataclass(frozen=True, slots=True)
class PlaceExplanation:
    """position: in the slate; None outside it. rank: by score among the n_eligible items that may appear.

    served_score: as answered then. gap: score minus that of the slate's last place. phrases: what the item and the
    interest that speaks for it have in common. evidence: events whose absence changes its rank, the most telling first.
    reproduced: whether the score, worked out anew from the events up to then, is the one that was answered; where it is
    not (another bundle, edits since), the explanation is of now.
    """

    slate_id: str
    item_id: ItemId
    title: str
    verdict: Verdict
    text: str
    position: int | None
    rank: int
    n_eligible: int
    score: float
    served_score: float | None
    gap: float | None
    parts: Mapping[str, float]
    phrases: tuple[str, ...]
    evidence: tuple[WithoutEvent, ...]
    context: ContextEffect
    remedies: tuple[Remedy, ...]
    reproduced: bool
    bundle: str
