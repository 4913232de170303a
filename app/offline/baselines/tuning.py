"""Choosing each baseline's arguments by NDCG@10 on validation questions. Test questions are never looked at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from app.domain import FloatArray
from app.errors import DataError
from app.offline.baselines.als import Als
from app.offline.baselines.ease import Ease
from app.offline.baselines.item_knn import ItemKnn
from app.offline.baselines.markov import Markov
from app.offline.baselines.popularity import Popularity, RecentPopularity
from app.offline.baselines.text import MarkovText, TextSimilarity
from app.offline.dataset import Dataset
from app.offline.evaluate import Ranker, evaluate
from app.offline.metrics import ndcg_at
from app.offline.questions import sample_questions
from app.offline.split import Split

Arguments = Mapping[str, float]


@dataclass(frozen=True)
class Baseline:
    """How to make one: `fit(dataset, split, **arguments)` for arguments of `grid`."""

    name: str
    fit: Callable[..., Ranker]
    grid: Sequence[Arguments]


@dataclass(frozen=True)
class Tuned:
    """The best of a grid, fitted. ndcg10: on the validation questions it was chosen by."""

    ranker: Ranker
    arguments: Arguments
    ndcg10: float


@dataclass(frozen=True)
class LeftOut:
    """A baseline that cannot be run here, and why: it is named in the report rather than missing from it."""

    name: str
    reason: str


def list_baselines(item_vectors: FloatArray | None = None) -> tuple[Baseline, ...]:
    """All of them, the cheapest first; those that read text only where item_vectors, (N, D), are given."""
    kinds = (Popularity, RecentPopularity, Markov, ItemKnn, Als, Ease)
    listed = tuple(Baseline(kind.name, kind.fit, kind.grid) for kind in kinds)
    if item_vectors is None:
        return listed
    read_text = (TextSimilarity, MarkovText)
    return listed + tuple(Baseline(k.name, partial(k.fit, item_vectors=item_vectors), k.grid) for k in read_text)


def tune_baselines(dataset: Dataset, split: Split, baselines: Sequence[Baseline]) -> Iterator[Tuned | LeftOut]:
    """One after the other, so that only one is held in memory: EASE alone can take 2 GB."""
    for baseline in baselines:
        try:
            yield tune(baseline, dataset, split)
        except (DataError, ModuleNotFoundError) as refused:
            yield LeftOut(baseline.name, str(refused))


def tune(baseline: Baseline, dataset: Dataset, split: Split) -> Tuned:
    """Fit with every combination of the grid and keep the best on validation; the first of equals."""
    questions = sample_questions(split.validation)
    best: Tuned | None = None
    for arguments in baseline.grid:
        ranker = baseline.fit(dataset, split, **arguments)
        ranks = evaluate(dataset, split, questions, ranker, k=(10,)).ranks
        ndcg10 = float(ndcg_at(ranks, 10).mean()) if len(questions) else 0.0
        if best is None or ndcg10 > best.ndcg10:
            best = Tuned(ranker, arguments, ndcg10)
    if best is None:
        raise ValueError(f"{baseline.name} has an empty grid")
    return best
