"""What a map tells: places, and nothing that computes them (`app.explanation.space_map` does)."""

from dataclasses import dataclass

from app.domain import Item, ItemId, Source


@dataclass(frozen=True, slots=True)
class MapItem:
    """An item and its place."""

    item: Item
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class MapInterest:
    """One row of an intent and its place. label: its first phrase, or the words. nearest: of the map's items, those it
    scores highest with the gate open and no prior, best first."""

    label: str
    source: Source
    x: float
    y: float
    nearest: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class SpaceMap:
    """share: of the item vectors' variance, what each axis keeps. n_items: all that could be on it."""

    bundle: str
    share: tuple[float, float]
    items: tuple[MapItem, ...]
    interests: tuple[MapInterest, ...]
    n_items: int
    degraded: tuple[str, ...]
