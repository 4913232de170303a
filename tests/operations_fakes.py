"""Shadow traffic, experiments and online metrics, small and in memory, for tests of the HTTP layer alone."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from app.errors import ExperimentExists, UnknownExperiment
from app.experiments.experiment import Experiment
from app.experiments.results import Results, judge
from app.rollout.shadow import ShadowPlan, ShadowReport
from app.slates.online_metrics import By, OnlineMetrics, Window


class FakeShadow:
    def __init__(self, rollout: Any) -> None:
        self.rollout = rollout
        self.share = 0.0

    async def start(self, version: str, share: float) -> ShadowPlan:
        await self.rollout.verify(version)
        self.share = share
        return ShadowPlan(version, share, datetime(2025, 6, 6, tzinfo=UTC))

    async def report(self, version: str) -> ShadowReport:
        await self.rollout.describe(version)
        if not self.share:
            return ShadowReport(version, 0.0, 0, None, None, None, None, None)
        return ShadowReport(version, self.share, 10, 0.8, 0.02, 0.9, (4.0, 9.0), (5.0, 12.0))


class MemoryExperiments:
    def __init__(self) -> None:
        self.experiments: dict[str, Experiment] = {}

    async def list(self) -> list[Experiment]:
        return [self.experiments[name] for name in sorted(self.experiments)]

    async def get(self, name: str) -> Experiment:
        if name not in self.experiments:
            raise UnknownExperiment(f"no experiment {name!r}")
        return self.experiments[name]

    async def create(self, experiment: Experiment) -> Experiment:
        if experiment.name in self.experiments:
            raise ExperimentExists(f"there is an experiment {experiment.name!r}")
        return (await self.put(experiment))[0]

    async def put(self, experiment: Experiment) -> tuple[Experiment, bool]:
        created = experiment.name not in self.experiments
        self.experiments[experiment.name] = experiment
        return experiment, created

    async def delete(self, name: str) -> None:
        del self.experiments[(await self.get(name)).name]

    async def results(self, name: str) -> Results:
        experiment = await self.get(name)
        return judge(experiment, {arm.name: (250, 200, 20) for arm in experiment.arms}, experiment.started_at)


class FixedOnline:
    async def count_items(self) -> int:
        return 100

    async def measure(self, window: Window, by: Collection[By], conversion_types: Sequence[str]) -> list[OnlineMetrics]:
        arm = "mixed/base" if By.ARM in by else None
        return [OnlineMetrics(window.since, None, arm, None, 10, 8, 5, 1, 50, 6, 20, 5, 40, (4.0, 9.0))]
