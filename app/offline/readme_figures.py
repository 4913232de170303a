"""The README's table of measured results, read out of the demo's report."""

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from app.offline.quality_tables import OURS, PROTOCOLS
from app.offline.report import markdown_table

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
        columns[f"NDCG@10, {title}"] = [_with_interval(figures, figure) for figure in ndcg]
        columns[f"HR@10, {title}"] = [f"{figures[f'{prefix}{where}.hr10']:.4f}" for prefix in rankers.values()]
        asked.append(f"{title}, {figures[f'{where}.questions']} ({figures[f'{where}.known_users']})")
    about = (
        "In brackets: 95% bootstrap intervals over users. Questions asked, and in parentheses those of users with "
        f"training events: {'; '.join(asked)}."
    )
    made_by = f"Written by `{report['command']}` at commit {report['commit']} on {report['machine']}."
    return "\n\n".join([markdown_table(pl.DataFrame(columns)), about, made_by])


def _list_baselines(figures: Mapping[str, float]) -> list[str]:
    """In the report's order."""
    named = re.compile(rf"baseline\.(\w+)\.{DATA}\.loo\.ndcg10")
    return [found[1] for figure in figures if (found := named.fullmatch(figure))]


def _with_interval(figures: Mapping[str, float], figure: str) -> str:
    return f"{figures[figure]:.4f} [{figures[f'{figure}.low']:.4f}, {figures[f'{figure}.high']:.4f}]"
