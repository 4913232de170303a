"""The Markdown of a comparison: what was asked, a line a ranker, and a line a kind of question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from app.offline.comparison import Comparison
from app.offline.evaluate import DEPTHS
from app.offline.intervals import Estimate
from app.offline.measures import SLICED_METRICS
from app.offline.report import markdown_table
from app.offline.split import Protocol

OURS = "penchant"
PROTOCOLS = {
    Protocol.LEAVE_ONE_OUT: "leave-one-out",
    Protocol.GLOBAL_TIME: "global time split",
    Protocol.COLD_ITEMS: "items never trained on",
    Protocol.RANDOM: "random split",
}
LIST_METRICS = {"coverage": "Coverage", "gini": "Gini", "novelty": "Novelty (bits)", "ild": "Intra-list diversity"}


@dataclass(frozen=True)
class Row:
    """One ranker. measured: see `app.offline.measures`. lead: NDCG of ours minus this one's, question by question."""

    name: str
    arguments: Mapping[str, float]
    measured: Mapping[str, Estimate]
    lead: Estimate | None


def render_tables(
    comparison: Comparison, rows: Sequence[Row], counts: Mapping[str, int], in_slice: Mapping[str, int]
) -> str:
    """A section with its heading. in_slice: how many questions are of each kind; kinds without any are left out."""
    k = DEPTHS[0]
    parts = [
        f"## {comparison.data}, {PROTOCOLS[comparison.split.protocol]}",
        _say_what_was_asked(comparison, counts),
        markdown_table(_rank_table(rows)),
        f"What the first {k} of the lists are like, and the arguments that validation chose:",
        markdown_table(_list_table(rows)),
    ]
    for metric in SLICED_METRICS:
        parts += [f"{metric.upper()}@{k} by kind of question:", _slice_table(rows, f"{metric}{k}", in_slice)]
    parts += [f"Left out: `{left_out.name}`. {left_out.reason}." for left_out in comparison.left_out]
    return "\n\n".join(parts)


def _say_what_was_asked(comparison: Comparison, counts: Mapping[str, int]) -> str:
    filtered = not comparison.dataset.repeats
    seen = "taken out of every list, so a repeat counts as missed" if filtered else "left in the lists"
    return (
        f"{counts['questions']:,} questions over {comparison.dataset.n_items:,} items, all ranked, ties counted "
        f"against the target. {counts['known_users']:,} are of users with training events; "
        f"{counts['cold_targets']:,} ask for an item that training never saw; {counts['repeat_targets']:,} for one "
        f"already in the user's history. Seen items are {seen}. In brackets: 95% bootstrap intervals over users."
    )


def _rank_table(rows: Sequence[Row]) -> pl.DataFrame:
    columns = {"Ranker": [row.name for row in rows]}
    for k in DEPTHS:
        for metric in ("ndcg", "hr", "mrr"):
            columns[f"{metric.upper()}@{k}"] = [tell(row.measured[f"{metric}{k}"]) for row in rows]
    if any(row.lead for row in rows):
        columns[f"{OURS} minus it, NDCG@{DEPTHS[0]}"] = [tell(row.lead, signed=True) for row in rows]
    return pl.DataFrame(columns)


def _list_table(rows: Sequence[Row]) -> pl.DataFrame:
    columns = {"Ranker": [row.name for row in rows]}
    for metric, heading in LIST_METRICS.items():
        name = f"{metric}{DEPTHS[0]}"
        if any(name in row.measured for row in rows):
            columns[heading] = [tell(row.measured[name]) for row in rows]
    columns["Arguments"] = [", ".join(f"{name} {value:g}" for name, value in row.arguments.items()) for row in rows]
    return pl.DataFrame(columns)


def _slice_table(rows: Sequence[Row], metric: str, in_slice: Mapping[str, int]) -> str:
    """Intervals of ours alone: the others' stand in the figures."""
    asked = [name for name, size in in_slice.items() if size]
    columns: dict[str, list[str] | list[int]] = {"Questions of kind": asked, "n": [in_slice[name] for name in asked]}
    for row in rows:
        told = [row.measured[f"{metric}.{name}"] for name in asked]
        columns[row.name] = [tell(estimate) if row.name == OURS else f"{estimate.value:.4f}" for estimate in told]
    return markdown_table(pl.DataFrame(columns))


def tell(estimate: Estimate | None, *, signed: bool = False) -> str:
    """0.1259 [0.1189, 0.1329], or the number alone where there is no interval."""
    if estimate is None:
        return ""
    value, low, high = (
        f"{number:{'+' if signed else ''}.4f}" for number in (estimate.value, estimate.low, estimate.high)
    )
    return value if low.endswith("nan") else f"{value} [{low}, {high}]"


def tell_figure(figures: Mapping[str, float], name: str, *, signed: bool = False) -> str:
    """The same of a figure of a report, whose interval's ends stand beside it as `.low` and `.high`."""
    return tell(Estimate(figures[name], figures[f"{name}.low"], figures[f"{name}.high"]), signed=signed)
