"""A comparison as figures for programs; `quality_tables` makes the Markdown for people from the same rows."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain import BoolArray, FloatArray
from app.offline.comparison import Comparison
from app.offline.dataset import Dataset
from app.offline.evaluate import DEPTHS, Evaluation
from app.offline.intervals import Estimate, paired_difference
from app.offline.measures import figures, measure, values_at
from app.offline.quality_tables import OURS, Row, render_tables
from app.offline.questions import is_repeat, training_counts
from app.offline.slices import slice_questions
from app.offline.split import Split


def render(comparison: Comparison, item_vectors: FloatArray | None = None) -> tuple[dict[str, float], str]:
    """(figures, Markdown), ready for `app.offline.report`. item_vectors: (N, D) of a text model outside the contest.

    Figures of ours begin with `<data>.<split>.`, those of others with `baseline.<name>.<data>.<split>.`; below
    `difference.<name>.<data>.<split>.` stands ours minus that baseline. `.low` and `.high` are ends of 95% intervals.
    """
    slices = slice_questions(comparison.dataset, comparison.split, comparison.split.test)
    rows = _rows(comparison, slices, item_vectors)
    counts = count_questions(comparison.dataset, comparison.split)
    in_slice = {name: int(inside.sum()) for name, inside in slices.items()}
    return _figures(comparison, rows, counts), render_tables(comparison, rows, counts, in_slice)


def _rows(comparison: Comparison, slices: Mapping[str, BoolArray], item_vectors: FloatArray | None) -> list[Row]:
    counts = training_counts(comparison.dataset, comparison.split)

    def measured(evaluation: Evaluation) -> dict[str, Estimate]:
        return measure(comparison.dataset, evaluation, slices, counts, item_vectors)

    ours = comparison.ours
    rows = [Row(OURS, {}, measured(ours), None)] if ours else []
    for rival in comparison.baselines:
        lead = _lead(comparison, ours, rival.evaluation) if ours else None
        rows.append(Row(rival.evaluation.ranker, rival.arguments, measured(rival.evaluation), lead))
    return rows


def _lead(comparison: Comparison, ours: Evaluation, theirs: Evaluation) -> Estimate:
    users = comparison.dataset.users[ours.questions]
    return paired_difference(values_at(ours, "ndcg", DEPTHS[0]), values_at(theirs, "ndcg", DEPTHS[0]), users)


def count_questions(dataset: Dataset, split: Split) -> dict[str, int]:
    """known_users: questions of users with a training event. cold_targets: items that training never saw."""
    trained_on = np.bincount(dataset.users[split.train], minlength=dataset.n_users) > 0
    return {
        "questions": len(split.test),
        "known_users": int(trained_on[dataset.users[split.test]].sum()),
        "cold_targets": int((training_counts(dataset, split)[dataset.rows[split.test]] == 0).sum()),
        "repeat_targets": int(is_repeat(dataset, split.test).sum()),
    }


def _figures(comparison: Comparison, rows: Sequence[Row], counts: Mapping[str, int]) -> dict[str, float]:
    where = f"{comparison.data}.{comparison.split.protocol}"
    named: dict[str, float] = {f"{where}.{name}": count for name, count in counts.items()}
    for row in rows:
        named |= figures(where if row.name == OURS else f"baseline.{row.name}.{where}", row.measured)
        if row.lead:
            named |= figures(f"difference.{row.name}.{where}", {f"ndcg{DEPTHS[0]}": row.lead})
    return named
