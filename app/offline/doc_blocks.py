"""The generated blocks of our Markdown pages: `python -m app.offline.doc_blocks` writes them anew.

A block lies between `<!-- name -->` and `<!-- /name -->`. What is in it comes from the code or from a report and is
never typed; a test fails where a page has drifted.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from app import telemetry
from app.offline.readme_figures import benchmark_table, figures_table, serving_table, training_table
from app.offline.report import REPOSITORY, markdown_table
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Block:
    """page: path from the root of the repository. name: as in the markers. render: what belongs between them."""

    page: str
    name: str
    render: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Figures:
    """A block that is read out of a report; where there is none it stays as it is. report: its JSON. table: of it."""

    page: str
    name: str
    report: str
    table: Callable[[Mapping[str, Any]], str]

    def render(self) -> str:
        return self.table(json.loads((REPOSITORY / self.report).read_text(encoding="utf-8")))


SETTINGS = Block("docs/guide/settings.md", "settings", lambda: settings_table())
METRICS = Block("docs/guide/metrics.md", "metrics", lambda: metrics_table())
READMES = ("README.md", "README.zh-CN.md")
FIGURES = tuple(
    Figures(page, f"figures: {name}", f"docs/reports/{report}.json", table)
    for pages, name, report, table in (
        (READMES, "demo", "demo", figures_table),
        (READMES, "benchmark", "quality", benchmark_table),
        (READMES, "serving", "serving", serving_table),
        (("docs/guide/tuning.md",), "training", "training", training_table),
    )
    for page in pages
)


def write_blocks() -> Iterator[Path]:
    """Bring every page up to date; give those that changed."""
    blocks: list[Block | Figures] = [SETTINGS, METRICS]
    blocks += [block for block in FIGURES if (REPOSITORY / block.report).is_file()]
    for block in blocks:
        page = REPOSITORY / block.page
        before = page.read_text(encoding="utf-8")
        after = replace_block(before, block.name, block.render())
        if after != before:
            page.write_text(after, encoding="utf-8")
            yield page


def replace_block(page: str, name: str, content: str) -> str:
    """The page with `content` as its block `name`. Raises ValueError where the page has no such block.

    A name may say more after a colon, which its closing marker leaves out (`figures: demo`, then `/figures`).
    """
    opening, closing = f"<!-- {name} -->", f"<!-- /{name.partition(':')[0]} -->"
    markers = re.compile(f"({re.escape(opening)}\n).*?({re.escape(closing)})", re.DOTALL)
    if not markers.search(page):
        raise ValueError(f"no block {name!r} in the page: expected a line {opening} and a line {closing}")
    return markers.sub(lambda found: f"{found[1]}\n{content.strip()}\n\n{found[2]}", page)


def settings_table() -> str:
    schema = Settings.model_json_schema()["properties"]
    rows = [
        {
            "Setting": f"`{name}`",
            "Variable": f"`PENCHANT_{name.upper()}`",
            "Default": f"`{field.default}`" if str(field.default) else "(empty)",
            "Values": _say_values(schema[name]),
            "What it does": (field.description or "").replace("<", r"\<"),
        }
        for name, field in Settings.model_fields.items()
    ]
    return markdown_table(pl.DataFrame(rows))


def metrics_table() -> str:
    metrics = telemetry._metrics()  # the one list of them
    made = [getattr(metrics, field.name) for field in fields(metrics) if field.name != "registry"]
    return markdown_table(pl.DataFrame([_describe_metric(metric) for metric in made]))


def _say_values(schema: Mapping[str, Any]) -> str:
    words = {"integer": "whole number", "boolean": "true or false", "string": "text", "object": "table, or JSON"}
    kind = "path" if schema.get("format") == "path" else words[schema["type"]]
    if "maximum" in schema:
        return f"{kind}, {schema['minimum']} to {schema['maximum']}"
    return f"{kind}, from {schema['minimum']}" if "minimum" in schema else kind


def _describe_metric(metric: Any) -> dict[str, str]:
    (about,) = metric.describe()
    return {
        "Metric": f"`{about.name}{'_total' if about.type == 'counter' else ''}`",
        "Type": about.type,
        "Labels": ", ".join(f"`{label}`" for label in metric._labelnames),
        "What it tells": about.documentation,
    }


if __name__ == "__main__":
    for changed in write_blocks():
        print(changed.relative_to(REPOSITORY))  # noqa: T201
