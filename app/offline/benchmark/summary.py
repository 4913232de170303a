"""All runs of one data set and split, drawn together: values averaged over seeds, intervals over users."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.offline.benchmark.contestants import BASELINES, LEARNED, OURS
from app.offline.benchmark.runs import Questions, Run, read_questions, read_run
from app.offline.evaluate import DEPTHS
from app.offline.intervals import Estimate, bootstrap_interval, paired_difference
from app.offline.measures import NAN, RANK_METRICS, SLICED_METRICS
from app.offline.metrics import Values


@dataclass(frozen=True)
class Result:
    """One contestant on one data set and split. seeds: how many runs. measured: as `app.offline.measures` names it.

    lead: NDCG@10 of ours minus this one's, on the same questions; None for ours, and where ours has not run.
    """

    contestant: str
    runs: tuple[Run, ...]
    measured: Mapping[str, Estimate]
    lead: Estimate | None

    @property
    def seeds(self) -> int:
        return len(self.runs)


@dataclass(frozen=True)
class Arena:
    """results: in the order of the contestants, ours last."""

    questions: Questions
    results: tuple[Result, ...]

    @property
    def place(self) -> str:
        return f"{self.questions.data}.{self.questions.split}"

    def result(self, contestant: str) -> Result | None:
        return next((result for result in self.results if result.contestant == contestant), None)


def read_arenas(folder: Path) -> list[Arena]:
    """Everything in the folder of runs; runs whose questions are not there, or are of another number, are an error."""
    runs: dict[str, list[Run]] = {}
    for path in sorted(folder.glob("*.json")):
        run = read_run(path)
        runs.setdefault(f"{run.cell.data}.{run.cell.split}", []).append(run)
    return [_arena(read_questions(folder / "questions" / f"{place}.json"), found) for place, found in runs.items()]


def _arena(questions: Questions, runs: Iterable[Run]) -> Arena:
    of: dict[str, list[Run]] = {}
    for run in runs:
        of.setdefault(run.cell.contestant, []).append(run)
    ours = of.get(OURS)
    order = [*BASELINES, *(name for name in LEARNED if name != OURS), OURS]
    return Arena(questions, tuple(_result(name, of[name], questions, ours) for name in order if name in of))


def _result(name: str, runs: list[Run], questions: Questions, ours: list[Run] | None) -> Result:
    measured = {}
    for metric in RANK_METRICS:
        for k in DEPTHS:
            values = mean_values(runs, metric, k)
            measured[f"{metric}{k}"] = bootstrap_interval(values, questions.users)
            if metric in SLICED_METRICS and k == DEPTHS[0]:
                for part, inside in questions.slices.items():
                    measured[f"{metric}{k}.{part}"] = bootstrap_interval(values[inside], questions.users[inside])
    for figure in sorted({figure for run in runs for figure in run.figures}):
        mean = float(np.mean([run.figures[figure] for run in runs if figure in run.figures]))
        measured[figure] = Estimate(mean, NAN, NAN)
    lead = None
    if ours and name != OURS:
        own, other = (mean_values(side, "ndcg", DEPTHS[0]) for side in (ours, runs))
        lead = paired_difference(own, other, questions.users)
    return Result(name, tuple(runs), measured, lead)


def mean_values(runs: Iterable[Run], metric: str, k: int) -> Values:
    """(Q,): the mean over seeds of each question's value."""
    return np.mean([RANK_METRICS[metric](run.ranks, k) for run in runs], axis=0)
