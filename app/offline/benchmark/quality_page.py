"""docs/reports/quality.md and .json, made from the runs alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from app.offline.benchmark.contestants import ABOUT, BASELINES, LEARNED, OURS
from app.offline.benchmark.cost import name_costs, read_costs
from app.offline.benchmark.goals import BEST, GOALS, tell_seeds
from app.offline.benchmark.pictures import draw_curves, draw_frequencies
from app.offline.benchmark.runs import Questions
from app.offline.benchmark.summary import Arena, Result, mean_values, read_arenas
from app.offline.evaluate import DEPTHS
from app.offline.intervals import Estimate, paired_difference
from app.offline.measures import figures as name_figures
from app.offline.quality_tables import LIST_METRICS, PROTOCOLS, tell
from app.offline.report import markdown_table, write_report
from app.offline.split import Protocol

RIVALS = (*BASELINES, "sasrec_ce", "sasrec_ce_time")
SHOWN = (*RIVALS, "penchant_text", "penchant_id", OURS)
"""Told in every table; the ablations have one of their own."""
ABLATIONS = {
    "random_user_llm": "penchant_text",
    "frozen_item_encoder": "penchant_text",
    "domain_pretraining": "penchant_text",
    "penchant_text": OURS,
    "without_time": OURS,
    "one_interest": OURS,
    "without_gate": OURS,
}
"""Each with what it is held against: the same thing without the change."""
K = DEPTHS[0]
PICTURES = (
    ("curves", draw_curves, "Learning curves"),
    ("frequencies", draw_frequencies, "NDCG by how often the target was seen"),
)


def write_quality_report(runs: Path, folder: Path, command: str) -> Path:
    """Its path. Pictures lie beside it in `quality/`."""
    arenas, costs = read_arenas(runs), read_costs(runs)
    figures = collect_figures(arenas) | name_costs(costs)
    parts = [_goals(figures)]
    for arena in arenas:
        parts.append(_section(arena))
        pictures = folder / "quality"
        pictures.mkdir(parents=True, exist_ok=True)
        for name, draw, told in PICTURES:
            path = pictures / f"{arena.place}.{name}.svg"
            path.unlink(missing_ok=True)
            draw(path, arena)
            if path.is_file():  # of what has no curves none are drawn
                parts.append(f"![{told}](quality/{path.name})")
    if costs:
        parts.append(_costs(costs))
    write_report(folder, "quality", "Quality", command, figures, "\n\n".join(parts))
    return folder / "quality.md"


def collect_figures(arenas: Sequence[Arena]) -> dict[str, float]:
    """Ours as `<data>.<split>.<metric>`, others under `baseline.<name>.`; `.low` and `.high` are interval ends."""
    found: dict[str, float] = {}
    for arena in arenas:
        place = arena.place
        found |= {f"{place}.{name}": count for name, count in arena.questions.counts.items()}
        found[f"{place}.questions"] = arena.questions.n_questions
        for result in arena.results:
            prefix = place if result.contestant == OURS else f"baseline.{result.contestant}.{place}"
            found |= name_figures(prefix, result.measured)
            found[f"{prefix}.seeds"] = result.seeds
            if result.lead:
                found |= name_figures(f"difference.{result.contestant}.{place}", {f"ndcg{K}": result.lead})
        if rivals := [result for result in arena.results if result.contestant in RIVALS]:
            best = max(rivals, key=lambda result: result.measured[f"ndcg{K}"].value)
            found |= name_figures(f"baseline.{BEST}.{place}", {f"ndcg{K}": best.measured[f"ndcg{K}"]})
    return found


ABOUT_LISTS = f"""\
What the first {K} of the lists are like, what validation chose, and the processor time of the run itself; blocks that
an earlier run had trained are taken over and not counted (seed 0):"""


def _goals(figures: Mapping[str, float]) -> str:
    rows = []
    for goal in GOALS:
        target, value, reached = goal.target(figures), figures.get(goal.figure), goal.is_reached(figures)
        low, high = figures.get(f"{goal.figure}.low"), figures.get(f"{goal.figure}.high")
        rows.append(
            {
                "What": goal.what,
                "Measured": "not yet" if value is None else f"{value:.4f}",
                "95% interval": "" if low is None or high is None else f"[{low:.4f}, {high:.4f}]",
                "Seeds": tell_seeds(goal.figure, figures),
                "Must": "" if target is None else f"{target:.4f}",
                "Ahead of every peer": "" if goal.ahead is None else f"{goal.ahead:.4f}",
                "Reached": {True: "yes", False: "no", None: ""}[reached],
            }
        )
    return "## Figures to beat\n\n" + markdown_table(pl.DataFrame(rows))


def _costs(costs: Mapping[str, Mapping[str, float]]) -> str:
    names = sorted({name for figures in costs.values() for name in figures})
    rows = [
        {"Recipe": recipe} | {name: f"{figures[name]:,.6g}" if name in figures else "" for name in names}
        for recipe, figures in costs.items()
    ]
    return (
        "## What serving costs\n\nProcessor time of one core, median, untrained weights of a recipe's form. "
        "`event_ms`: a new event on cached state. `head_ms`: the request head. `read_<n>_ms`: n events read "
        "from nothing. `state_bytes`: a user's state, as long as the recipe reads.\n\n"
        f"{markdown_table(pl.DataFrame(rows))}"
    )


def _section(arena: Arena) -> str:
    questions = arena.questions
    k = f"@{K}"
    parts = [
        f"## {questions.data}, {PROTOCOLS[Protocol(questions.split)]}",
        _say_what_was_asked(questions),
        markdown_table(_ranks(arena.results)),
        ABOUT_LISTS,
        markdown_table(_lists(arena.results)),
    ]
    for metric in ("ndcg", "hr"):
        parts += [f"{metric.upper()}{k} by kind of question:", markdown_table(_slices(arena, f"{metric}{K}"))]
    if (ablations := _ablations(arena)) is not None:
        parts += ["One thing changed at a time:", markdown_table(ablations)]
    return "\n\n".join(parts)


def _say_what_was_asked(questions: Questions) -> str:
    counts, repeats = questions.counts, questions.split == Protocol.RANDOM
    return (
        f"{questions.n_questions:,} questions over {counts['items']:,} items, all ranked, ties counted against the "
        f"target, seen items {'left in the lists' if repeats else 'taken out of every list'}. "
        f"{counts['training_events']:,} of {counts['events']:,} events "
        f"are trained on. {counts['known_users']:,} questions are of users with training events; "
        f"{counts['cold_targets']:,} ask for an item that training never saw; {counts['repeat_targets']:,} for one "
        "already in the user's history. Means over the seeds; in brackets 95% bootstrap intervals over users."
    )


def _ranks(results: Sequence[Result]) -> pl.DataFrame:
    shown = [result for result in results if result.contestant in SHOWN]
    columns: dict[str, list[str]] = {
        "Ranker": [result.contestant for result in shown],
        "Seeds": [str(result.seeds) for result in shown],
    }
    for k in DEPTHS:
        for metric in ("ndcg", "hr", "mrr"):
            columns[f"{metric.upper()}@{k}"] = [tell(result.measured[f"{metric}{k}"]) for result in shown]
    columns[f"{OURS} minus it, NDCG@{K}"] = [tell(result.lead, signed=True) for result in shown]
    return pl.DataFrame(columns)


def _lists(results: Sequence[Result]) -> pl.DataFrame:
    columns = {"Ranker": [result.contestant for result in results]}
    for metric, heading in LIST_METRICS.items():
        name = f"{metric}{K}"
        columns[heading] = [tell(result.measured[name]) if name in result.measured else "" for result in results]
    columns["Chosen"] = [
        ", ".join(f"{name} {value:g}" for name, value in result.runs[0].arguments.items()) for result in results
    ]
    columns["CPU, s"] = [f"{result.runs[0].cpu_s:,.0f}" for result in results]
    columns["Memory, GiB"] = [f"{result.runs[0].peak_memory_bytes / 2**30:.1f}" for result in results]
    return pl.DataFrame(columns)


def _slices(arena: Arena, metric: str) -> pl.DataFrame:
    sizes = {name: int(inside.sum()) for name, inside in arena.questions.slices.items()}
    asked = [name for name, size in sizes.items() if size]
    columns: dict[str, list[str]] = {"Questions of kind": asked, "n": [f"{sizes[name]:,}" for name in asked]}
    for result in arena.results:
        if result.contestant in LEARNED and result.contestant not in SHOWN:
            continue
        told = [result.measured[f"{metric}.{name}"] for name in asked]
        columns[result.contestant] = [
            tell(estimate) if result.contestant == OURS else f"{estimate.value:.4f}" for estimate in told
        ]
    return pl.DataFrame(columns)


def _ablations(arena: Arena) -> pl.DataFrame | None:
    rows = []
    for name, against in ABLATIONS.items():
        changed, whole = arena.result(name), arena.result(against)
        if changed is None or whole is None:
            continue
        seeds = {run.cell.seed for run in changed.runs} & {run.cell.seed for run in whole.runs}
        mine = [run for run in changed.runs if run.cell.seed in seeds]
        theirs = [run for run in whole.runs if run.cell.seed in seeds]
        if not seeds:
            continue
        difference = paired_difference(
            mean_values(mine, "ndcg", K), mean_values(theirs, "ndcg", K), arena.questions.users
        )
        rows.append(
            {
                "Changed": ABOUT[name],
                f"NDCG@{K}": tell(changed.measured[f"ndcg{K}"]),
                "Against": ABOUT[against],
                "Difference": tell(difference, signed=True),
                "So it is": _judge(difference),
                "Seeds": str(len(seeds)),
            }
        )
    return pl.DataFrame(rows) if rows else None


def _judge(difference: Estimate) -> str:
    """What an ablation shows, in words: where the interval holds 0, nothing."""
    if difference.low <= 0 <= difference.high:
        return "not told apart"
    return "better" if difference.value > 0 else "worse"
