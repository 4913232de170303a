"""What a placement names must be there: told before anything is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.catalogue.live import LiveCatalogue
from app.errors import PlacementRefused
from app.placements.placement import Placement


@dataclass(frozen=True, slots=True)
class PlacementCheck:
    """Called with a placement; raises PlacementRefused where it names a source or an item that nobody knows."""

    source_names: Sequence[str]
    catalogue: LiveCatalogue

    def __call__(self, placement: Placement) -> None:
        strange = [name for name in placement.sources or () if name not in self.source_names]
        if strange:
            raise PlacementRefused(
                f"sources: there is no source {strange[0]!r}; there are {', '.join(sorted(self.source_names))}"
            )
        gone = [pin.item_id for pin in placement.pins if not self.catalogue.is_served(pin.item_id)]
        if gone:
            raise PlacementRefused(f"pins: the catalogue holds no item {gone[0]!r}: PUT it first, then pin it")
