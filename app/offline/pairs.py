"""AUC over what was used and what was not, each in a context: the form in which Frappe's figures are published.

Each test event is a positive; beside it stand two items that its user never had in that context, drawn at random (He
and Chua 2017, section 5.1; the form is kept by BARS, Zhu et al. 2022). All positives are compared with all negatives of
all users, so a score must say how likely an event is, not only in which order: scores are made shares of the catalogue.
"""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import mannwhitneyu

from app.domain import FloatArray, IntArray
from app.offline.dataset import Dataset
from app.offline.evaluate import Ranker
from app.offline.split import DRAW_SEED, Split

NEGATIVES = 2
AT_ONCE = 256  # questions: at 4,000 items an array of scores takes 4 MB


def auc_of_pairs(dataset: Dataset, split: Split, ranker: Ranker) -> float:
    """Probability, in [0, 1], that a positive is scored above a negative, ties counting half. NaN without questions."""
    asked = split.test
    if not len(asked):
        return float("nan")
    rows = np.column_stack([dataset.rows[asked], draw_negatives(dataset, asked)])  # (Q, 1 + NEGATIVES)
    chunks = np.arange(AT_ONCE, len(asked), AT_ONCE)
    shares = np.concatenate(
        [
            np.take_along_axis(_log_shares(ranker.scores(part)), of, axis=1)
            for part, of in zip(np.split(asked, chunks), np.split(rows, chunks), strict=True)
        ]
    )
    positives, negatives = shares[:, 0], shares[:, 1:].ravel()
    return float(mannwhitneyu(positives, negatives).statistic / (len(positives) * len(negatives)))


def draw_negatives(dataset: Dataset, questions: IntArray) -> IntArray:
    """(Q, NEGATIVES) item rows that the user of each question never had in its context, in any event there is."""
    contexts = _contexts(dataset)
    had = np.unique((dataset.users * (contexts.max() + 1) + contexts) * dataset.n_items + dataset.rows)
    place = (dataset.users * (contexts.max() + 1) + contexts)[questions, None] * dataset.n_items
    rng = np.random.default_rng(DRAW_SEED)
    drawn = rng.integers(dataset.n_items, size=(len(questions), NEGATIVES))
    while (taken := np.isin(place + drawn, had)).any():
        drawn[taken] = rng.integers(dataset.n_items, size=int(taken.sum()))
    return drawn


def _contexts(dataset: Dataset) -> IntArray:
    """(E,): one number for each distinct combination of context values."""
    if not dataset.context:
        return np.zeros(len(dataset.rows), dtype=np.int64)
    codes = [np.unique(values, return_inverse=True)[1] for values in dataset.context.values()]
    return np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].astype(np.int64)


def _log_shares(scores: FloatArray) -> FloatArray:
    return np.asarray(scores - logsumexp(scores, axis=1, keepdims=True), dtype=np.float32)
