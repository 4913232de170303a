"""Tables of measured results for the README and the guide, read out of the reports."""

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from app.offline.benchmark.goals import GOALS, tell_seeds
from app.offline.quality_tables import OURS, PROTOCOLS, tell_figure
from app.offline.report import markdown_table
from app.offline.training_report import costs_table

DATA = "ml100k"


def figures_table(report: Mapping[str, Any]) -> str:
    """NDCG@10 and HR@10 of ours and of every baseline, by each protocol measured, and where they were measured.

    report: what `app.offline.report` writes as JSON, with the figures of both protocols in it.
    """
    figures = report["figures"]
    rankers = {OURS: ""} | {name: f"baseline.{name}." for name in _list_baselines(figures)}
    columns = {"Ranker": [name.replace("_", " ") for name in rankers]}
    asked = []
    for protocol, title in PROTOCOLS.items():
        where = f"{DATA}.{protocol}"
        if f"{where}.ndcg10" not in figures:
            continue
        ndcg = [f"{prefix}{where}.ndcg10" for prefix in rankers.values()]
        columns[f"NDCG@10, {title}"] = [tell_figure(figures, figure) for figure in ndcg]
        columns[f"HR@10, {title}"] = [f"{figures[f'{prefix}{where}.hr10']:.4f}" for prefix in rankers.values()]
        asked.append(f"{title}, {figures[f'{where}.questions']} ({figures[f'{where}.known_users']})")
    about = (
        "In brackets: 95% bootstrap intervals over users. Questions asked, and in parentheses those of users with "
        f"training events: {'; '.join(asked)}."
    )
    return "\n\n".join([markdown_table(pl.DataFrame(columns)), about, _made_by(report)])


def benchmark_table(report: Mapping[str, Any]) -> str:
    """Ours beside the best published figure found, for every goal that has one and has been measured.

    report: docs/reports/quality.json. Shown as ours is what is served, both blocks.
    """
    figures = report["figures"]
    rows = [
        {
            "Data, protocol, measure": goal.what,
            OURS: tell_figure(figures, goal.figure),
            "Seeds": tell_seeds(goal.figure, figures),
            "Best published": f"{goal.peer[0]:.4f} ({goal.peer[1]})",
        }
        for goal in GOALS
        if goal.peer and goal.figure in figures
    ]
    if not rows:
        return "Not measured yet."
    return f"{markdown_table(pl.DataFrame(rows))}\n\n{_made_by(report)}"


def serving_table(report: Mapping[str, Any]) -> str:
    """CPU time and requests a second of every load, beside the bare route. report: docs/reports/serving.json."""
    figures = report["figures"]
    loads = [name.split(".")[1] for name in figures if name.startswith("serving.") and name.endswith(".cpu_ms")]
    floor = figures[f"serving.{loads[0]}.cpu_ms"]
    rows = [
        {
            "Load": load.replace("_", " "),
            "CPU ms a request": f"{figures[f'serving.{load}.cpu_ms']:.2f}",
            "Bare routes": f"{figures[f'serving.{load}.cpu_ms'] / floor:.1f}",
            "Requests a second, one worker": f"{figures[f'serving.{load}.requests_per_s']:,.0f}",
        }
        for load in loads
    ]
    return f"{markdown_table(pl.DataFrame(rows))}\n\n{_made_by(report)}"


def training_table(report: Mapping[str, Any]) -> str:
    """Time and memory by recipe. report: docs/reports/training.json."""
    figures = report["figures"]
    asked = f"{figures['events']:,} events of {figures['users']:,} users on {figures['items']:,} items."
    return "\n\n".join([costs_table(figures), asked, _made_by(report)])


def _made_by(report: Mapping[str, Any]) -> str:
    return f"Written by `{report['command']}` at commit {report['commit']} on {report['machine']}."


def _list_baselines(figures: Mapping[str, float]) -> list[str]:
    """In the report's order."""
    named = re.compile(rf"baseline\.(\w+)\.{DATA}\.loo\.ndcg10")
    return [found[1] for figure in figures if (found := named.fullmatch(figure))]
