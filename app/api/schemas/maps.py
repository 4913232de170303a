"""`GET /v1/map`: the space in two dimensions."""

from typing import TYPE_CHECKING

from pydantic import Field

from app import domain
from app.api.schemas.fields import ItemRef, Wire

if TYPE_CHECKING:
    from app.explanation.map_places import SpaceMap


class MapItemAnswer(Wire):
    """An item and its place on the map."""

    item_id: ItemRef
    title: str = Field(description="To write beside the place.")
    categories: list[str] = Field(description="To colour the place by; empty for none.")
    x: float = Field(description="Along the first axis, in the units of the item vectors.")
    y: float = Field(description="Along the second axis, in the same units.")


class MapInterestAnswer(Wire):
    """An interest, or the words, as a point: a direction, drawn at the length of an average item vector."""

    label: str = Field(description="Its first phrase, or the words themselves.")
    source: domain.Source = Field(description="`interests` where a history gave it, `words` where words did.")
    x: float = Field(description="Along the first axis, in the units of the item vectors.")
    y: float = Field(description="Along the second axis, in the same units.")
    nearest: list[str] = Field(
        description="Up to 5 item ids of this map, best first: those it scores highest in all dimensions, before "
        "context and popularity."
    )


class MapAnswer(Wire):
    """Items, and whoever asks among them, on the first two principal axes of the bundle's item vectors."""

    bundle: str = Field(description="Version of the bundle; the axes are the same for all of its maps.")
    share: tuple[float, float] = Field(
        description="What each axis keeps of the variance of the item vectors, 0 to 1: how much of the space one sees."
    )
    items: list[MapItemAnswer] = Field(description="Those with most training events first, then newer ones.")
    interests: list[MapInterestAnswer] = Field(description="Empty for nobody, and for a user of whom nothing is known.")
    n_items: int = Field(description="Items that could be on the map; more than `items` holds where `limit` cut it.")
    degraded: list[str] = Field(description="What was missing for the interests; empty when nothing was.")

    @classmethod
    def from_domain(cls, drawn: "SpaceMap") -> "MapAnswer":
        return cls(
            bundle=drawn.bundle,
            share=drawn.share,
            items=[
                MapItemAnswer(
                    item_id=place.item.item_id,
                    title=place.item.title,
                    categories=list(place.item.categories),
                    x=place.x,
                    y=place.y,
                )
                for place in drawn.items
            ],
            interests=[
                MapInterestAnswer(label=at.label, source=at.source, x=at.x, y=at.y, nearest=list(at.nearest))
                for at in drawn.interests
            ],
            n_items=drawn.n_items,
            degraded=list(drawn.degraded),
        )
