"""All numbers told of one evaluation, named as in the reports: metric, depth, and the slice after a dot."""

from collections.abc import Mapping

from app.domain import BoolArray, FloatArray, IntArray
from app.offline.dataset import Dataset
from app.offline.evaluate import Evaluation
from app.offline.intervals import Estimate, bootstrap_interval
from app.offline.metrics import (
    Values,
    coverage_at,
    gini_at,
    hit_rate_at,
    intra_list_diversity_at,
    ndcg_at,
    novelty_at,
    reciprocal_rank_at,
)

RANK_METRICS = {"ndcg": ndcg_at, "hr": hit_rate_at, "mrr": reciprocal_rank_at}
SLICED_METRICS = ("ndcg", "hr")
NAN = float("nan")


def measure(
    dataset: Dataset,
    evaluation: Evaluation,
    slices: Mapping[str, BoolArray],
    counts: IntArray,
    item_vectors: FloatArray | None = None,
) -> dict[str, Estimate]:
    """Metric to estimate: "ndcg10", "coverage20", and at the first depth "hr10.new" for every slice.

    slices: see `app.offline.slices`. counts: (N,) training events. item_vectors: (N, D) of a model outside the
    contest; without it there is no "ild". What is made of lists has no interval: its ends are NaN.
    """
    users = dataset.users[evaluation.questions]
    found = {}
    for name in RANK_METRICS:
        for k in evaluation.k:
            found[f"{name}{k}"] = bootstrap_interval(values_at(evaluation, name, k), users)
    found |= measure_lists(dataset, evaluation, counts, item_vectors)
    first = evaluation.k[0]
    for name in SLICED_METRICS:
        values = values_at(evaluation, name, first)
        for part, inside in slices.items():
            found[f"{name}{first}.{part}"] = bootstrap_interval(values[inside], users[inside])
    return found


def values_at(evaluation: Evaluation, metric: str, k: int) -> Values:
    """(Q,): one of RANK_METRICS, a number a question."""
    return RANK_METRICS[metric](evaluation.ranks, k)


def figures(prefix: str, measured: Mapping[str, Estimate]) -> dict[str, float]:
    """Measures under the names of a report's JSON, interval ends with `.low` and `.high`; NaN is left out."""
    named = {}
    for name, estimate in measured.items():
        named[f"{prefix}.{name}"] = estimate.value
        named[f"{prefix}.{name}.low"] = estimate.low
        named[f"{prefix}.{name}.high"] = estimate.high
    return {name: value for name, value in named.items() if value == value}


def measure_lists(
    dataset: Dataset, evaluation: Evaluation, counts: IntArray, item_vectors: FloatArray | None
) -> dict[str, Estimate]:
    """What is made of lists, at every depth: coverage, Gini, novelty and, given item_vectors, intra-list diversity."""
    found = {}
    for k in evaluation.k:
        found[f"coverage{k}"] = coverage_at(evaluation.top, k, dataset.n_items)
        found[f"gini{k}"] = gini_at(evaluation.top, k, dataset.n_items)
        found[f"novelty{k}"] = novelty_at(evaluation.top, k, counts)
        if item_vectors is not None:
            found[f"ild{k}"] = intra_list_diversity_at(evaluation.top, k, item_vectors)
    return {name: Estimate(value, NAN, NAN) for name, value in found.items()}
