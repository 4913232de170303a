"""Experiments as one process serves them: kept up with the store, and each request put into the arm of its unit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from app.domain import SlateRequest
from app.experiments.experiment import Arm, Experiment
from app.experiments.store import ExperimentStore

PURPOSE = "experiments"
KNOBS = ("placement", "diversity", "novelty", "exploration")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Assigned:
    """A request as its arm serves it. bundle: None for the active one."""

    request: SlateRequest
    bundle: str | None = None


class Trials:
    """All running experiments. Belongs to the event loop's thread.

    keep_bundles: asked to hold the bundles of all arms open, by their versions. is_open: whether one is.
    """

    def __init__(
        self,
        store: ExperimentStore,
        keep_bundles: Callable[[frozenset[str]], Awaitable[None]],
        is_open: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._keep_bundles = keep_bundles
        self.is_open = is_open
        self._experiments: tuple[Experiment, ...] = ()
        self._seq = 0

    def assign(self, request: SlateRequest) -> Assigned:
        """The request as its arm has it, marked with it; as it came where it takes part in nothing.

        A request takes part in one experiment, the first by name that its placement and its unit belong to: so what is
        served never mixes two. Without a user and a session it takes part in none, since the next one could not be
        told to be from the same person.
        """
        unit = request.user_id or request.session_id
        if unit is None:
            return Assigned(request)
        for experiment in self._experiments:
            if experiment.placements and request.placement not in experiment.placements:
                continue
            if (arm := experiment.arm_of(unit)) is not None:
                return self._serve(experiment, arm, request)
        return Assigned(request)

    async def catch_up(self) -> None:
        """Know every change committed before this call. Raises what a bundle that cannot be opened raises."""
        seq = self._store.last_seq()
        if seq != self._seq:
            self._experiments = tuple(one for one in self._store.all() if one.running)
            self._seq = seq
        await self._keep_bundles(bundles_of(self._experiments))

    async def follow(self, poll_s: float, retry_s: float = 30.0) -> None:
        """Keep up with other processes until cancelled."""
        while True:
            try:
                await self.catch_up()
                await asyncio.sleep(poll_s)
            except Exception:
                log.exception("experiments_not_followed")
                await asyncio.sleep(retry_s)

    def _serve(self, experiment: Experiment, arm: Arm, request: SlateRequest) -> Assigned:
        if arm.bundle is not None and not self.is_open(arm.bundle):
            return Assigned(request)  # for the moment it takes to open it: such a slate must not count for the arm
        knobs = {name: value for name in KNOBS if (value := getattr(arm, name)) is not None}
        return Assigned(replace(request, arm=experiment.label(arm), **knobs), arm.bundle)


def bundles_of(experiments: Sequence[Experiment]) -> frozenset[str]:
    return frozenset(arm.bundle for one in experiments for arm in one.arms if arm.bundle is not None)
