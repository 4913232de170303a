"""The placements as one process knows them: all versions arrive by the store's seq, its own ones too."""

import asyncio
from collections.abc import Callable

import structlog

from app.placements.placement import Placement
from app.placements.store import PlacementStore, PlacementVersion, unknown_placement

log = structlog.get_logger()


class LivePlacements:
    """Placements by name. Belongs to the event loop's thread.

    check: raises PlacementRefused for a placement that names what is not there, a source or a property; called before
    anything is stored.
    """

    def __init__(self, store: PlacementStore, check: Callable[[Placement], None]) -> None:
        self._store = store
        self._check = check
        self._by_name: dict[str, PlacementVersion] = {}
        self._seq = 0
        self._catching_up = asyncio.Lock()

    async def put(self, placement: Placement, *, create: bool = False) -> PlacementVersion:
        """Add a version: durable, and in force here; elsewhere within a second. Raises PlacementRefused,
        PlacementExists where `create` is asked for and it is there."""
        self._check(placement)
        version = await self._store.put(placement, create=create)
        await self.catch_up()
        return version

    async def delete(self, name: str) -> None:
        """Raises UnknownPlacement."""
        await self._store.delete(name)
        await self.catch_up()

    async def get(self, name: str, version: int | None = None) -> PlacementVersion:
        """From the store, so that it is true of every process. Raises UnknownPlacement."""
        return await self._store.get(name, version)

    async def versions(self, name: str) -> list[PlacementVersion]:
        """Newest first. Raises UnknownPlacement."""
        return await self._store.versions(name)

    async def all(self) -> list[PlacementVersion]:
        """The newest version of each placement that is there, by name."""
        await self.catch_up()
        return sorted(self._by_name.values(), key=lambda version: version.name)

    async def find(self, name: str) -> Placement:
        """The version in force. Raises UnknownPlacement: not before the store was asked whether another process has put
        it a moment ago."""
        if name not in self._by_name:
            await self.catch_up()
        known = self._by_name.get(name)
        if known is None or known.placement is None:
            raise unknown_placement(name)
        return known.placement

    async def catch_up(self) -> None:
        """Apply every version committed before this call."""
        async with self._catching_up:
            for version in await self._store.changes_since(self._seq):
                self._by_name.pop(version.name, None)
                if version.placement is not None:
                    self._by_name[version.name] = version
                self._seq = version.seq

    async def follow(self, poll_s: float) -> None:
        """Keep up with other processes until cancelled. A store that fails is asked again; the placements stay."""
        while True:
            await asyncio.sleep(poll_s)
            try:
                await self.catch_up()
            except Exception:
                log.exception("placement_feed_failed")
