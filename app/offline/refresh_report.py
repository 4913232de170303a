"""What a daily refresh is worth: `python -m app.offline.refresh_report` trains up to a day, then goes on, then anew.

The day is a cut in time through the demo's data. A bundle is trained on what lies before it; then there is all of the
data, and the same last events of users are asked of three: the bundle as it was, which reads the new events but learned
from none; the bundle gone on from (`penchant train --from`); and one trained from the start. Nobody trained on what is
asked, nor on anything its user did after it. Writes docs/reports/refresh.md and .json.
"""

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console

from app.bundle import Bundle, open_bundle
from app.device import choose_device, share_threads, spend_threads
from app.offline.build import Run, build_bundle
from app.offline.bundle_ranker import BundleRanker
from app.offline.dataset import Dataset, read_dataset
from app.offline.demo import NAME
from app.offline.evaluate import evaluate
from app.offline.fetch import fetch_base_model
from app.offline.intervals import bootstrap_interval, paired_difference
from app.offline.measures import figures as name_figures
from app.offline.metrics import Values, ndcg_at
from app.offline.quality_tables import tell_figure
from app.offline.recipes import Recipe, get_recipe
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.split import Protocol, split
from app.offline.train import training_progress
from app.offline.workshop import Models
from app.settings import Settings
from app.trained import load_trained

CUT = 0.9  # of the events lie before the day
K = 10
COMMAND = "make report-refresh"
WAYS = {
    "stale": "as it was before the day",
    "refreshed": "gone on from that",
    "anew": "trained from the start",
}


@dataclass(frozen=True)
class Way:
    """One of WAYS. ndcg: (Q,) NDCG@10 of the same questions. cpu_s: processor time of its training."""

    ndcg: Values
    cpu_s: float


def before(dataset: Dataset, share: float) -> Dataset:
    """The first `share` of the events in time, of the same users and items."""
    kept = dataset.at_s < np.quantile(dataset.at_s, share, method="higher")
    return dataclasses.replace(
        dataset,
        digest=f"{dataset.digest}.{share:g}",
        users=dataset.users[kept],
        rows=dataset.rows[kept],
        at_s=dataset.at_s[kept],
        weights=dataset.weights[kept],
        context={name: values[kept] for name, values in dataset.context.items()},
    )


def measure(settings: Settings, dataset: Dataset, recipe: Recipe, models: Models, folder: Path) -> dict[str, Way]:
    """folder: for the three bundles and the work on them."""
    questions = split(dataset, Protocol.LEAVE_ONE_OUT)
    device, found = choose_device(settings), {}

    def build(data: Dataset, earlier: Bundle | None) -> tuple[Bundle, float]:
        run, started = Run(data, Protocol.LEAVE_ONE_OUT, recipe, models, 0, earlier), time.process_time()
        with training_progress() as progress:
            path, _ = build_bundle(run, folder / "artifacts", folder / "work", device=device, progress=progress)
        return open_bundle(path), time.process_time() - started

    def ask(bundle: Bundle) -> Values:
        ranker = BundleRanker(load_trained(bundle, device), dataset, questions.train)
        return ndcg_at(evaluate(dataset, questions, questions.test, ranker).ranks, K)

    stale, cpu_s = build(before(dataset, CUT), None)
    found["stale"] = Way(ask(stale), cpu_s)
    for way, earlier in (("refreshed", stale), ("anew", None)):
        bundle, cpu_s = build(dataset, earlier)
        found[way] = Way(ask(bundle), cpu_s)
    return found


def figures(ways: Mapping[str, Way]) -> dict[str, float]:
    """NDCG@10 and processor time of each way, and what the refresh is above the stale and below the new bundle."""
    found = {"questions": float(len(ways["stale"].ndcg)), "cut": CUT}
    for name, way in ways.items():
        found |= name_figures(name, {f"ndcg{K}": bootstrap_interval(way.ndcg)}) | {f"{name}.cpu_s": way.cpu_s}
    for other in ("stale", "anew"):
        difference = paired_difference(ways["refreshed"].ndcg, ways[other].ndcg)
        found |= name_figures(f"refreshed_minus_{other}", {f"ndcg{K}": difference})
    return found | {"refreshed.cpu_share": ways["refreshed"].cpu_s / ways["anew"].cpu_s}


def write(told: Mapping[str, float], dataset: Dataset, recipe: Recipe, folder: Path) -> None:
    rows = [
        {"Bundle": words, f"NDCG@{K}": tell_figure(told, f"{way}.ndcg{K}"), "CPU, s": f"{told[f'{way}.cpu_s']:,.0f}"}
        for way, words in WAYS.items()
    ]
    above = {other: tell_figure(told, f"refreshed_minus_{other}.ndcg{K}", signed=True) for other in ("stale", "anew")}
    body = f"""\
{told["questions"]:.0f} questions of {dataset.name}, the last event of each user; the day lies after {CUT:.0%} of the
events. Recipe {recipe.name}, one seed. In brackets: 95% bootstrap intervals over users.

{markdown_table(pl.DataFrame(rows))}

The refreshed bundle minus the stale one: {above["stale"]}; minus the one trained from the start: {above["anew"]}, in
{told["refreshed.cpu_share"]:.0%} of the processor time that took."""
    write_report(folder, "refresh", "What a daily refresh is worth", COMMAND, dict(told), body)


def main() -> None:
    settings, recipe = Settings(), get_recipe("fast")
    spend_threads(share_threads(settings, processes=1))
    dataset = read_dataset(settings.data_dir / "data" / NAME)
    base = fetch_base_model(settings.data_dir, Console())
    ways = measure(settings, dataset, recipe, Models(base, base), settings.data_dir / "work" / "refresh")
    write(figures(ways), dataset, recipe, REPOSITORY / "docs/reports")


if __name__ == "__main__":
    main()
