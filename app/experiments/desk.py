"""Experiments planned, changed, ended and read: what `/v1/experiments` does."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from app.experiments.experiment import Experiment
from app.experiments.results import Results, judge
from app.experiments.store import ExperimentStore, unknown
from app.experiments.trials import Trials


class ExperimentDesk:
    """check: raises what is wrong with an experiment before it is stored: a bundle or a placement that is not there."""

    def __init__(self, store: ExperimentStore, trials: Trials, check: Callable[[Experiment], Awaitable[None]]) -> None:
        self._store = store
        self._trials = trials
        self._check = check

    async def list(self) -> list[Experiment]:
        """By name."""
        return self._store.all()

    async def get(self, name: str) -> Experiment:
        """Raises UnknownExperiment."""
        for experiment in self._store.all():
            if experiment.name == name:
                return experiment
        raise unknown(name)

    async def create(self, experiment: Experiment) -> Experiment:
        """Raises ExperimentExists, and what is wrong with it."""
        await self._check(experiment)
        await self._store.put(experiment, create=True)
        await self._trials.catch_up()
        return experiment

    async def put(self, experiment: Experiment) -> tuple[Experiment, bool]:
        """Create or replace; True if created. Results go on where nothing changes of what is served to whom."""
        await self._check(experiment)
        before = {one.name: one for one in self._store.all()}.get(experiment.name)
        if before is not None and experiment.serves_as(before):
            experiment = replace(experiment, started_at=before.started_at)
        created = await self._store.put(experiment)
        await self._trials.catch_up()
        return experiment, created

    async def delete(self, name: str) -> None:
        """Raises UnknownExperiment. Slates that were served keep their mark."""
        await self._store.delete(name)
        await self._trials.catch_up()

    async def results(self, name: str) -> Results:
        """Raises UnknownExperiment."""
        experiment = await self.get(name)
        return judge(experiment, await self._store.count(experiment), datetime.now(UTC))
