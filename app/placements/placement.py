"""A placement: a named surface, and how the slates shown there are made. Frozen facts, and their form as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from app.domain import ItemId
from app.reranking.compose import Diversifier, Knobs
from app.reranking.rules import SPONSORED

DEFAULT_K = 20


@dataclass(frozen=True, slots=True)
class Pin:
    """An item that stands at a place, if it may be shown to who asks. position: 1 is the top."""

    item_id: ItemId
    position: int


@dataclass(frozen=True, slots=True)
class CategoryCap:
    """At most so many items of a category in one slate."""

    category: str
    at_most: int


@dataclass(frozen=True, slots=True)
class Sponsorship:
    """Items that are paid for: those that the filter holds for. They stand at their own places alone.

    share: of the places, 0 to 1, rounded down. label: what the answer says of them.
    """

    share: float
    label: str = "Sponsored"
    filter: str = "sponsored = true"


@dataclass(frozen=True, slots=True)
class Placement:
    """How the slates of one surface are made.

    k: length where the request tells none. sources: name to quota of candidates; None for the default ones.
    filter: what holds for every item shown, "" for no filter, in the language of `app.filtering.expression`.
    max_per_category: cap of every category. knobs: where the request tells none of its own.
    """

    name: str
    k: int = DEFAULT_K
    description: str = ""
    sources: Mapping[str, int] | None = None
    filter: str = ""
    pins: tuple[Pin, ...] = ()
    caps: tuple[CategoryCap, ...] = ()
    max_per_category: int | None = None
    sponsored: Sponsorship | None = None
    knobs: Knobs = field(default_factory=Knobs)

    def label_of(self, rules: tuple[str, ...]) -> str:
        """What must be shown with an item that these rules put into a slate; empty for nothing."""
        return self.sponsored.label if self.sponsored is not None and SPONSORED in rules else ""


def placement_to_json(placement: Placement) -> str:
    return json.dumps(asdict(placement), ensure_ascii=False, sort_keys=True)


def placement_from_json(line: str) -> Placement:
    """Fields that are not there have their defaults: what an older program wrote can be read."""
    told: dict[str, Any] = json.loads(line)
    sponsored, knobs = told.pop("sponsored", None), told.pop("knobs", {})
    return Placement(
        pins=tuple(Pin(**pin) for pin in told.pop("pins", ())),
        caps=tuple(CategoryCap(**cap) for cap in told.pop("caps", ())),
        sponsored=None if sponsored is None else Sponsorship(**sponsored),
        knobs=Knobs(**{**knobs, "diversifier": Diversifier(knobs.get("diversifier", Diversifier.DPP))}),
        **told,
    )
