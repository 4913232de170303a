"""Bundles seen, verified, activated and rolled back in one process, and the others' decisions followed.

A candidate is opened beside the running bundle, every byte and golden query checked, and warmed; then the decision is
written, and from the next request on it answers. Every other process finds the decision and does the same.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Generic, TypeVar

import structlog

from app.bundle import MANIFEST, Manifest, read_manifest
from app.errors import BundleError, BundleUnfit, NothingBefore, UnknownBundle
from app.rollout.decisions import Decision, DecisionStore
from app.serving import OfOneBundle, Servings

RETRY_S = 30.0
"""After a decision that could not be followed. Each try reads a whole bundle."""

DECISIONS_LOOKED_AT = 20
CARD, METRICS = "card.md", "metrics.json"

log = structlog.get_logger(__name__)

Resources = TypeVar("Resources", bound=OfOneBundle)


@dataclass(frozen=True, slots=True)
class Known:
    """A bundle that lies beside the served one. active: decided on; serving: answers in this process."""

    manifest: Manifest
    active: bool
    serving: bool


@dataclass(frozen=True, slots=True)
class Activated:
    """What an activation did. warmed_users: whose interests were encoded before the exchange."""

    version: str
    before: str
    warmed_users: int
    took_s: float


class Rollout(Generic[Resources]):
    """One process's part. bundle_dir: the bundle of the settings; the others lie beside it.

    check: reads the bundle of a folder and throws it away; raises BundleError. warm: called with an opened bundle
    before it answers; gives how many users it warmed.
    """

    def __init__(
        self,
        servings: Servings[Resources],
        decisions: DecisionStore,
        bundle_dir: Path,
        check: Callable[[Path], object],
        warm: Callable[[Resources], Awaitable[int]],
    ) -> None:
        self._servings = servings
        self._decisions = decisions
        self._bundle_dir = bundle_dir
        self._configured = read_manifest(bundle_dir).version
        self._check = check
        self._warm = warm
        self._seq = 0
        self._kept: dict[str, frozenset[str]] = {}
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Open what is to answer: the last decision's bundle, unless `bundle_dir` was pointed elsewhere since.

        Where that bundle is gone or damaged, the one of `bundle_dir`: an old answer is better than none. Raises
        BundleError where this one is.
        """
        decision = self._decision()
        self._seq = 0 if decision is None else decision.seq
        if (version := self._decided()) == self._configured:
            first = await self._servings.open(self._bundle_dir)
        else:
            try:
                first = await self._open(version)
            except (BundleUnfit, UnknownBundle) as error:
                log.warning("decided_bundle_unfit", bundle=version, instead=self._configured, reason=str(error))
                first = await self._servings.open(self._bundle_dir)
        self._servings.activate(first.version)

    async def list(self) -> list[Known]:
        """By version."""
        found = await asyncio.to_thread(self._find_all)
        return [self._known(manifest) for _, manifest in sorted(found.values(), key=lambda bundle: bundle[1].version)]

    async def describe(self, version: str) -> tuple[Known, str | None, str | None]:
        """The bundle, its card (Markdown) and its metrics (JSON), None where it has none. Raises UnknownBundle."""
        folder, manifest = await self._find(version)
        card, metrics = await asyncio.gather(*(asyncio.to_thread(_read, folder / name) for name in (CARD, METRICS)))
        return self._known(manifest), card, metrics

    async def verify(self, version: str) -> tuple[Manifest, float]:
        """Check every byte and golden query, off the event loop; the manifest, and the seconds it took.

        Raises UnknownBundle, and BundleUnfit with what is wrong.
        """
        folder, manifest = await self._find(version)
        started = monotonic()
        async with self._changing:  # one bundle's memory at a time
            try:
                await asyncio.to_thread(self._check, folder)
            except BundleError as error:
                raise BundleUnfit(str(error)) from error
        return manifest, monotonic() - started

    async def activate(self, version: str) -> Activated:
        """Let the bundle answer, here and in every process. Raises UnknownBundle, BundleUnfit: then nothing changed."""
        async with self._changing:
            return await self._activate(version)

    async def roll_back(self) -> Activated:
        """Let the bundle answer that did before the present one. Raises NothingBefore, BundleUnfit."""
        async with self._changing:
            return await self._activate(self._before())

    async def keep(self, purpose: str, versions: frozenset[str]) -> None:
        """Hold these open beside the active one, for as long as `purpose` does not say otherwise.

        Raises UnknownBundle, BundleUnfit: those that could be opened are kept all the same.
        """
        if self._kept.get(purpose, frozenset()) == versions and versions <= set(self._servings.versions):
            return
        async with self._changing:
            self._kept[purpose] = versions
            self._close_others()
            for version in sorted(versions - set(self._servings.versions)):
                await self._open(version)

    async def follow(self, poll_s: float) -> None:
        """Follow what other processes decide, until cancelled. What cannot be followed is tried again."""
        while True:
            await asyncio.sleep(poll_s)
            try:
                await self._catch_up()
            except Exception:
                log.exception("bundle_not_followed", serving=self._servings.active.version)
                await asyncio.sleep(RETRY_S)

    async def _catch_up(self) -> None:
        decision = self._decision()
        if decision is None or decision.seq <= self._seq:
            return
        async with self._changing:
            await self._prepare(decision.version)
            self._switch(decision.version)
            self._seq = decision.seq

    async def _activate(self, version: str) -> Activated:
        started, before = monotonic(), self._servings.active.version
        if version == before and version == self._decided():
            return Activated(version, before, 0, 0.0)
        try:
            warmed = await self._prepare(version)
            self._seq = (await self._decisions.append(version, self._configured)).seq
            self._servings.activate(version)
        finally:
            self._close_others()
        return Activated(version, before, warmed, monotonic() - started)

    async def _prepare(self, version: str) -> int:
        return await self._warm(await self._open(version))

    def _switch(self, version: str) -> None:
        self._servings.activate(version)
        self._close_others()

    async def _open(self, version: str) -> Resources:
        try:
            return await self._servings.open((await self._find(version))[0])
        except BundleError as error:
            raise BundleUnfit(str(error)) from error

    def _close_others(self) -> None:
        self._servings.keep_only(frozenset().union(*self._kept.values()))

    def _decided(self) -> str:
        decision = self._decision()
        holds = decision is not None and decision.configured == self._configured
        return decision.version if holds and decision is not None else self._configured

    def _decision(self) -> Decision | None:
        return next(iter(self._decisions.last()), None)

    def _before(self) -> str:
        """The one decided on before, or configured then. Rolled back twice, the first one answers again."""
        now = self._decided()
        for decision in self._decisions.last(DECISIONS_LOOKED_AT):
            for version in (decision.version, decision.configured):
                if version != now:
                    return version
        raise NothingBefore(f"only bundle {now} has answered so far: there is none to go back to")

    def _known(self, manifest: Manifest) -> Known:
        return Known(
            manifest,
            active=manifest.version == self._decided(),
            serving=manifest.version == self._servings.active.version,
        )

    async def _find(self, version: str) -> tuple[Path, Manifest]:
        found = await asyncio.to_thread(self._find_all)
        if version not in found:
            raise UnknownBundle(f"no bundle {version!r} lies beside the one that is served: GET /v1/bundles lists them")
        return found[version]

    def _find_all(self) -> dict[str, tuple[Path, Manifest]]:
        """Version -> folder and manifest. Folders without a readable manifest are passed over."""
        folders = [path.parent for path in sorted(self._bundle_dir.parent.glob(f"*/{MANIFEST}"))]
        found: dict[str, tuple[Path, Manifest]] = {}
        for folder in (*(folder for folder in folders if not folder.is_symlink()), self._bundle_dir):
            with contextlib.suppress(BundleError):
                manifest = read_manifest(folder)
                found[manifest.version] = (folder, manifest)
        return found


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
