import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_runs import run_of

from app.offline.benchmark.goals import Goal
from app.offline.benchmark.quality_page import collect_figures, write_quality_report
from app.offline.benchmark.runs import Cell, Questions, write_questions, write_run
from app.offline.benchmark.summary import read_arenas

EVEN = np.array([True, False, True, False])
SLICES = {
    "even": EVEN,
    "frequency_0": ~EVEN,
    "frequency_1_5": EVEN,
    "frequency_6_20": EVEN & ~EVEN,
    "frequency_21_up": EVEN & ~EVEN,
}
COUNTS = {
    "users": 4,
    "items": 9,
    "events": 20,
    "training_events": 12,
    "known_users": 4,
    "cold_targets": 2,
    "repeat_targets": 0,
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Ours puts every target first with seed 0, misses every second one with seed 1; Markov has them second."""
    folder = tmp_path / "runs"
    write_questions(folder, Questions("shop", "time", 4, np.arange(4), SLICES, COUNTS))
    for contestant, seed, ranks in (
        ("penchant", 0, [0, 0, 0, 0]),
        ("penchant", 1, [0, 99, 0, 99]),
        ("markov", 0, [1, 1, 1, 1]),
        ("popularity", 0, [50, 50, 50, 50]),
    ):
        write_run(folder, run_of(ranks, Cell("shop", "time", contestant, seed)))
    return folder


def test_figures_are_means_over_seeds_of_every_question(runs: Path) -> None:
    figures = collect_figures(read_arenas(runs))
    assert figures["shop.time.hr10"] == pytest.approx(0.75)
    assert figures["shop.time.hr10.even"] == 1.0
    assert figures["shop.time.seeds"] == 2
    assert figures["baseline.markov.shop.time.ndcg10"] == pytest.approx(1 / np.log2(3))
    assert figures["shop.time.ndcg10.low"] <= figures["shop.time.ndcg10"] <= figures["shop.time.ndcg10.high"]


def test_the_lead_is_of_the_same_questions(runs: Path) -> None:
    figures = collect_figures(read_arenas(runs))
    lead = figures["shop.time.ndcg10"] - figures["baseline.markov.shop.time.ndcg10"]
    assert figures["difference.markov.shop.time.ndcg10"] == pytest.approx(lead)


def test_the_best_baseline_has_a_name_of_its_own(runs: Path) -> None:
    figures = collect_figures(read_arenas(runs))
    assert figures["baseline.best.shop.time.ndcg10"] == figures["baseline.markov.shop.time.ndcg10"]


def test_the_report_is_written_from_runs_alone_and_twice_the_same(runs: Path, tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        write_quality_report(runs, tmp_path / name, "penchant benchmark report")
        pages.append((tmp_path / name / "quality.md").read_text())
        assert (tmp_path / name / "quality" / "shop.time.frequencies.svg").stat().st_size < 200_000
    assert pages[0] == pages[1]
    assert "## shop, global time split" in pages[0]
    assert "not yet" in pages[0]


def test_only_pictures_that_were_drawn_are_shown(runs: Path, tmp_path: Path) -> None:
    """Where nothing learned there are no curves, and a picture of earlier ones goes."""
    for drawn in (["curves", "frequencies"], ["frequencies"]):
        write_quality_report(runs, tmp_path, "penchant benchmark report")
        shown = re.findall(r"!\[.*\]\((.*)\)", (tmp_path / "quality.md").read_text())
        assert shown == [f"quality/shop.time.{name}.svg" for name in drawn]
        assert sorted(path.name for path in (tmp_path / "quality").iterdir()) == [Path(name).name for name in shown]
        for contestant, seed in (("penchant", 0), ("penchant", 1), ("markov", 0), ("popularity", 0)):
            write_run(runs, replace(run_of([0, 1, 2, 3], Cell("shop", "time", contestant, seed)), curves={}))


def test_a_goal_told_against_a_baseline_is_a_multiple_of_it() -> None:
    goal = Goal("shop.time.ndcg10", "Shop", 1.05, over="baseline.best.shop.time.ndcg10")
    figures = {"shop.time.ndcg10": 0.106, "baseline.best.shop.time.ndcg10": 0.1}
    assert goal.target(figures) == pytest.approx(0.105)
    assert goal.is_reached(figures) is True
    assert goal.is_reached({**figures, "shop.time.ndcg10": 0.104}) is False
    assert goal.is_reached({"shop.time.ndcg10": 0.2}) is None
    assert replace(goal, over="", must=0.2, at_most=True).is_reached(figures) is True


def test_costs_of_every_recipe_are_told_and_those_of_cpu_are_figures(runs: Path, tmp_path: Path) -> None:
    (runs / "cost").mkdir()
    for recipe, event_ms in (("cpu", 3.5), ("fast", 2.25)):
        about = {"recipe": recipe, "figures": {"event_ms": event_ms}}
        (runs / "cost" / f"{recipe}.json").write_text(json.dumps(about))
    write_quality_report(runs, tmp_path, "penchant benchmark report")
    page = (tmp_path / "quality.md").read_text()
    assert [line.split()[1:4:2] for line in page.splitlines() if line.startswith(("| cpu ", "| fast "))] == [
        ["cpu", "3.5"],
        ["fast", "2.25"],
    ]
    assert json.loads((tmp_path / "quality.json").read_text())["figures"]["cost.event_ms"] == 3.5


@pytest.mark.parametrize(
    ("ranks", "verdict"), [([99, 99, 99, 99], "worse"), ([0, 0, 0, 0], "not told apart"), ([99, 0, 0, 0], "not told")]
)
def test_an_ablation_is_judged_by_whether_its_interval_holds_0(
    runs: Path, tmp_path: Path, ranks: list[int], verdict: str
) -> None:
    write_run(runs, run_of(ranks, Cell("shop", "time", "without_gate", 0)))
    write_quality_report(runs, tmp_path / "reports", "penchant benchmark report")
    page = (tmp_path / "reports/quality.md").read_text()
    (line,) = [line for line in page.splitlines() if "no context gate" in line and "both blocks, as served" in line]
    assert verdict in line
