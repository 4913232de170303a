"""`/v1/placements`: a named surface as the client writes it and as it is read back."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, StrictInt, StringConstraints

from app import domain
from app.api.schemas.fields import NOT_BLANK, PRINTABLE, FilterText, Identifier, Length, Number, Wire, take_whole
from app.placements.placement import CategoryCap, Pin, Placement, Sponsorship
from app.reranking.compose import Diversifier, Knobs

if TYPE_CHECKING:
    from app.placements.store import PlacementVersion

NAME = "^[a-z0-9][a-z0-9_.-]{0,63}$"

PlacementName = Annotated[str, StringConstraints(pattern=NAME)]
SourceName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,63}$")]
Position = Annotated[str, StringConstraints(pattern="^([1-9]|[1-9][0-9]|[1-4][0-9][0-9]|500)$")]
Category = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
Share = Annotated[Number, Field(ge=0, le=1)]
Quota = Annotated[StrictInt, Field(ge=0, le=1_000), BeforeValidator(take_whole)]
Quotas = Annotated[
    dict[SourceName, Quota],
    Field(max_length=32, json_schema_extra={"additionalProperties": False}),  # names that break the pattern
]


class SponsoredIn(Wire):
    """Places for items that somebody pays for: those the filter holds for. They stand there and nowhere else, and say
    what they are."""

    share: Share = Field(description="Share of the places, 0 to 1, rounded down and spread evenly.")
    label: Annotated[str, StringConstraints(max_length=64, pattern=NOT_BLANK)] = Field(
        "Sponsored", description="What the answer says of such an item: 1 to 64 characters."
    )
    filter: FilterText = "sponsored = true"


class PlacementRules(Wire):
    """How the slates of a surface are made. Whatever a request tells itself counts before this."""

    description: Annotated[str, StringConstraints(max_length=500)] = Field("", description="For people.")
    k: Length = Field(20, description="Length where the request tells none, in items: 1 to 500.")
    sources: Quotas | None = Field(
        None,
        description="Which sources propose candidates, and how many each at most, 0 to 1,000: interests, words, "
        "steer, popular, covisited, similar_users, trending, fresh, cold, and those plugged in. Default: all but "
        "similar_users, in numbers of our own. Too few candidates are filled up with what is popular.",
    )
    filter: FilterText | None = Field(None, description="Only items that this holds for. Default: all.")
    pins: dict[Position, Identifier] = Field(
        {},
        max_length=50,
        json_schema_extra={"additionalProperties": False},
        description='Items at fixed places, whatever they score, if they may be shown to who asks: {"1": "an item"}. '
        "At most 50 places, 1 being the top, to 500.",
    )
    caps: dict[Category, Length] = Field(
        {},
        max_length=100,
        json_schema_extra={"additionalProperties": False},
        description='How many items of a category a slate may hold: {"Horror": 2}. At most 100 of them, 1 to 500 each.',
    )
    max_per_category: Length | None = Field(None, description="Bound on every category: 1 to 500. Default: none.")
    sponsored: SponsoredIn | None = Field(None, description="Places that are paid for. Default: none.")
    diversity: Share = Field(
        0.0, description="How unlike each other the items of a slate are to be, 0 (by score) to 1."
    )
    novelty: Share = Field(0.0, description="How little known they are to be, 0 (by score) to 1.")
    exploration: Share = Field(
        0.0, description="Probability, 0 to 1, that a place goes to an item from just below the slate."
    )
    diversifier: Diversifier = Field(
        Diversifier.DPP, description="How diversity is reached: dpp (determinants) or mmr (the nearest item)."
    )

    def to_domain(self, name: str) -> Placement:
        return Placement(
            name=name,
            k=self.k,
            description=self.description,
            sources=self.sources,
            filter=self.filter or "",
            pins=tuple(Pin(domain.ItemId(item_id), int(position)) for position, item_id in self.pins.items()),
            caps=tuple(CategoryCap(category, at_most) for category, at_most in self.caps.items()),
            max_per_category=self.max_per_category,
            sponsored=None if self.sponsored is None else Sponsorship(**self.sponsored.model_dump()),
            knobs=Knobs(self.diversity, self.novelty, self.exploration, self.diversifier),
        )

    @classmethod
    def from_domain(cls, placement: Placement) -> "PlacementRules":
        knobs, sponsored = placement.knobs, placement.sponsored
        return cls(
            description=placement.description,
            k=placement.k,
            sources=None if placement.sources is None else dict(placement.sources),
            filter=placement.filter or None,
            pins={str(pin.position): pin.item_id for pin in placement.pins},
            caps={cap.category: cap.at_most for cap in placement.caps},
            max_per_category=placement.max_per_category,
            sponsored=None
            if sponsored is None
            else SponsoredIn(share=sponsored.share, label=sponsored.label, filter=sponsored.filter),
            diversity=knobs.diversity,
            novelty=knobs.novelty,
            exploration=knobs.exploration,
            diversifier=knobs.diversifier,
        )


class NewPlacement(PlacementRules):
    """A surface that is not there yet."""

    name: PlacementName = Field(
        description="Yours: 1 to 64 of a-z, 0-9, dot, dash and underscore, the first a letter or a digit."
    )


class PlacementAnswer(Wire):
    """One version of a placement."""

    name: str = Field(description="What requests say as `placement`.")
    version: int = Field(description="From 1. Every change makes the next one; the newest is in force.")
    changed_at: datetime = Field(description="When this version was made, in UTC.")
    rules: PlacementRules | None = Field(description="null in the version that deleted the placement.")

    @classmethod
    def from_domain(cls, version: "PlacementVersion") -> "PlacementAnswer":
        return cls(
            name=version.name,
            version=version.version,
            changed_at=version.changed_at,
            rules=None if version.placement is None else PlacementRules.from_domain(version.placement),
        )


class PlacementsAnswer(Wire):
    """By name."""

    placements: list[PlacementAnswer] = Field(description="Each in the version that is in force.")


class VersionsAnswer(Wire):
    """Newest first."""

    versions: list[PlacementAnswer] = Field(description="Every one there ever was, those that deleted it among them.")
