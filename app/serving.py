"""The bundles that one process has open, and which of them answers. One is exchanged for another under load.

A request leases what it is answered with and keeps it to its end: a bundle that is no longer wanted is closed when its
last request has gone, and only then.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog

from app.errors import UnknownBundle
from app.telemetry import set_build_info

log = structlog.get_logger(__name__)


class OfOneBundle(Protocol):
    """What is opened for a bundle."""

    @property
    def version(self) -> str: ...


Resources = TypeVar("Resources", bound=OfOneBundle)


class Servings(Generic[Resources]):
    """Everything that depends on a bundle, once for each that is open. Belongs to the event loop's thread.

    open_bundle: opens what depends on the bundle in a folder; raises BundleError.
    """

    def __init__(self, open_bundle: Callable[[Path], AbstractAsyncContextManager[Resources]]) -> None:
        self._open_bundle = open_bundle
        self._open: dict[str, _Serving[Resources]] = {}
        self._active: _Serving[Resources] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()  # one at a time: each takes the memory of a bundle before it gives any back

    @property
    def active(self) -> Resources:
        """What answers now. For a request use `lease`."""
        return self._active_one().resources

    @property
    def versions(self) -> tuple[str, ...]:
        """Of every open bundle, oldest first."""
        return tuple(self._open)

    @contextmanager
    def lease(self, version: str | None = None) -> Iterator[Resources]:
        """What is to answer a request: it stays open until the request is over, whatever is activated meanwhile.

        version: of an open bundle; None for the active one. Raises UnknownBundle where it is not open.
        """
        serving = self._active_one() if version is None else self._open.get(version)
        if serving is None:
            raise UnknownBundle(f"bundle {version!r} is not open in this process")
        serving.leases += 1
        try:
            yield serving.resources
        finally:
            serving.leases -= 1
            self._close_if_done(serving)

    async def open(self, folder: Path) -> Resources:
        """Open the bundle beside those that are; nothing is answered from it yet. Raises BundleError.

        Opened by a version that is open already, that one is given.
        """
        async with self._opening:
            stack = AsyncExitStack()
            resources = await stack.enter_async_context(self._open_bundle(folder))
            if (there := self._open.get(resources.version)) is not None:
                await stack.aclose()
                return there.resources
            self._open[resources.version] = _Serving(resources, stack)
            return resources

    def activate(self, version: str) -> None:
        """From now on requests are answered by this open bundle. The one before it is closed by `keep_only`."""
        self._active = self._open[version]
        for other in self._open:
            set_build_info(other, version_of("penchant"), active=other == version)
        log.info("bundle_activated", bundle=version)

    def keep_only(self, versions: frozenset[str]) -> None:
        """Close the others, each after its last request; the active one stays in any case."""
        for version, serving in list(self._open.items()):
            if serving is not self._active and version not in versions:
                del self._open[version]
                set_build_info(version, version_of("penchant"), active=False)
                serving.retired = True
                self._close_if_done(serving)

    async def close(self) -> None:
        """Close all of them at once: for the end of the process, after the last request."""
        servings, self._open = list(self._open.values()), {}
        for serving in servings:
            await serving.stack.aclose()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _active_one(self) -> "_Serving[Resources]":
        if self._active is None:
            raise RuntimeError("nothing answers before the first call of `activate`")
        return self._active

    def _close_if_done(self, serving: "_Serving[Resources]") -> None:
        if serving.retired and serving.leases == 0:
            serving.retired = False  # closed once
            task = asyncio.create_task(self._close(serving), name=f"close bundle {serving.resources.version}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close(self, serving: "_Serving[Resources]") -> None:
        await serving.stack.aclose()
        log.info("bundle_closed", bundle=serving.resources.version)


class _Serving(Generic[Resources]):
    def __init__(self, resources: Resources, stack: AsyncExitStack) -> None:
        self.resources = resources
        self.stack = stack
        self.leases = 0
        self.retired = False
