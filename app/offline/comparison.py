"""Ours and every tuned baseline on the same test questions of one split."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain import IntArray
from app.offline.baselines.tuning import Baseline, LeftOut, tune_baselines
from app.offline.dataset import Dataset
from app.offline.evaluate import Evaluation, Ranker, evaluate
from app.offline.split import Split


@dataclass(frozen=True)
class Contender:
    """A baseline on the test questions, and the arguments that validation chose for it."""

    evaluation: Evaluation
    arguments: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """data: the short name that figures begin with. ours is None where only baselines were run."""

    data: str
    dataset: Dataset
    split: Split
    ours: Evaluation | None
    baselines: tuple[Contender, ...]
    left_out: tuple[LeftOut, ...]


def compare(
    data: str,
    dataset: Dataset,
    split: Split,
    ours: Ranker | None,
    baselines: Sequence[Baseline],
    *,
    track: Callable[[list[IntArray]], Iterable[IntArray]] = iter,
) -> Comparison:
    """Tune each baseline on validation, then rank the test questions once with every ranker.

    baselines: see `list_baselines`. track: a progress bar around the batches
    of ours, which is the slow one.
    """
    own = evaluate(dataset, split, split.test, ours, track=track) if ours else None
    contenders, left_out = [], []
    for tuned in tune_baselines(dataset, split, baselines):
        if isinstance(tuned, LeftOut):
            left_out.append(tuned)
        else:
            evaluation = evaluate(dataset, split, split.test, tuned.ranker)
            contenders.append(Contender(evaluation, tuned.arguments))
    return Comparison(data, dataset, split, own, tuple(contenders), tuple(left_out))
