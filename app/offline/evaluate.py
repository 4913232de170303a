"""Full ranking: every ranker is asked to score the whole catalogue for every question, and the target's rank is kept.

Seen items. All items of a question's history are taken out, the target too where it is a repeat: a service that never
shows what was seen cannot show it, so a repeat question counts as missed (UNRANKED). Keeping only the target would tell
the ranker that it is a repeat; dropping the question would hide what the filter costs. Data that are said to be of
repeats (`Dataset.repeats`) keep seen items; read the slices `repeat` and `new` there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.domain import FloatArray, IntArray
from app.offline.dataset import Dataset
from app.offline.metrics import top_rows
from app.offline.questions import rank_targets
from app.offline.split import Split

DEPTHS = (10, 20)


class Ranker(Protocol):
    """Anything that scores the whole catalogue. What it learned came from training events alone."""

    @property
    def name(self) -> str:
        """Lower case with underscores: it becomes part of the names of figures."""
        ...

    def scores(self, questions: IntArray) -> FloatArray:
        """(Q, N) float32, higher is better; comparable within a row only.

        May read a question's user, time and context and every event of that user before it; never its item.
        """
        ...


@dataclass(frozen=True)
class Evaluation:
    """Where one ranker put the targets of Q questions.

    ranks: (Q,), see `app.offline.metrics`. top: (Q, max(k)) item rows it would have shown. k: depths to report at.
    """

    ranker: str
    questions: IntArray
    ranks: IntArray
    top: IntArray
    k: tuple[int, ...]


def evaluate(
    dataset: Dataset,
    split: Split,
    questions: IntArray,
    ranker: Ranker,
    *,
    k: tuple[int, ...] = DEPTHS,
    batch: int = 256,
    track: Callable[[list[IntArray]], Iterable[IntArray]] = iter,
) -> Evaluation:
    """Rank all N items for each of `questions`, `batch` at a time. track: a progress bar around the batches.

    Raises ValueError where a question was trained on, or where the ranker answers in another shape than (Q, N).
    """
    if split.train[questions].any():
        raise ValueError(f"{split.train[questions].sum()} questions are training events: their items are known")
    ranks, top = [np.empty(0, dtype=np.int64)], [np.empty((0, max(k)), dtype=np.int64)]
    for asked in track([questions[start : start + batch] for start in range(0, len(questions), batch)]):
        scores = _score(dataset, ranker, asked)
        ranks.append(rank_targets(dataset, asked, scores))
        top.append(top_rows(scores, max(k)))
    return Evaluation(ranker.name, questions, np.concatenate(ranks), np.concatenate(top), k)


def _score(dataset: Dataset, ranker: Ranker, asked: IntArray) -> FloatArray:
    """A copy: popularity answers with one row seen Q times, which cannot be written to."""
    scores = np.array(ranker.scores(asked), dtype=np.float32)
    if scores.shape != (len(asked), dataset.n_items):
        raise ValueError(f"{ranker.name} gave scores {scores.shape}, expected {(len(asked), dataset.n_items)}")
    return scores
