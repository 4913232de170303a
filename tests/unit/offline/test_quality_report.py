import dataclasses
import math

import numpy as np
import pytest
from hand_made import FixedScores, dataset_of, split_of

from app.errors import DataError
from app.offline.baselines.tuning import Baseline
from app.offline.comparison import Comparison, compare
from app.offline.intervals import Estimate
from app.offline.measures import figures
from app.offline.quality_report import render

# Two users are asked for c and d after a and b. With 14 items, 12 of them unseen, a tie is a miss at 10.
ITEMS = "abcdefghijklmn"
DATA = dataset_of(
    {"ann": [("a", 0), ("b", 60), ("c", 120)], "bob": [("b", 0), ("a", 60), ("d", 60)], "cyd": [("e", 0), ("c", 9)]},
    items=ITEMS,
)
SPLIT = split_of(DATA, test=[2, 5])


def first_is(item: str) -> FixedScores:
    return FixedScores(*(1.0 if name == item else 0.0 for name in ITEMS))


def refuse(data: object, split: object) -> FixedScores:
    raise DataError("it is a test")


@pytest.fixture
def comparison() -> Comparison:
    """Ours answers c, right for ann alone; the baseline answers e, right for nobody."""
    baselines = [
        Baseline("wrong", lambda data, split, *, depth: first_is("e"), ({"depth": 3},)),
        Baseline("hungry", refuse, ({},)),
    ]
    return compare("tiny", DATA, SPLIT, first_is("c"), baselines)


def test_figures_of_ours_and_of_baselines_have_their_names(comparison: Comparison) -> None:
    named, _ = render(comparison)
    assert named["tiny.loo.ndcg10"] == 0.5
    assert named["tiny.loo.hr10"] == 0.5
    assert named["tiny.loo.mrr20"] == pytest.approx((1 + 1 / 12) / 2)
    assert named["baseline.fixed.tiny.loo.hr10"] == 0.0
    assert named["difference.fixed.tiny.loo.ndcg10"] == 0.5
    assert named["tiny.loo.ndcg10.low"] == 0.0
    assert named["tiny.loo.ndcg10.high"] == 1.0


def test_figures_of_slices_follow_the_metric(comparison: Comparison) -> None:
    """ann's c was trained on once and came a minute after b; bob's d never, in the second of a."""
    named, _ = render(comparison)
    assert named["tiny.loo.hr10.frequency_1_5"] == 1.0
    assert named["tiny.loo.hr10.gap_to_1h"] == 1.0
    assert named["tiny.loo.hr10.frequency_0"] == 0.0
    assert named["tiny.loo.hr10.gap_0s"] == 0.0
    assert named["tiny.loo.hr10.new"] == 0.5
    assert "tiny.loo.hr10.repeat" not in named, "no question is of this kind"


def test_questions_are_counted(comparison: Comparison) -> None:
    named, _ = render(comparison)
    told = {name: named[f"tiny.loo.{name}"] for name in ("questions", "known_users", "cold_targets", "repeat_targets")}
    assert told == {"questions": 2, "known_users": 2, "cold_targets": 1, "repeat_targets": 0}


def test_diversity_is_told_only_with_vectors_from_outside(comparison: Comparison) -> None:
    without, _ = render(comparison)
    with_vectors, markdown = render(comparison, np.eye(14, dtype=np.float32))
    assert "tiny.loo.ild10" not in without
    assert with_vectors["tiny.loo.ild10"] == 1.0
    assert "Intra-list diversity" in markdown


def test_every_figure_is_a_finite_number(comparison: Comparison) -> None:
    named, _ = render(comparison)
    assert all(math.isfinite(value) for value in named.values())
    assert figures(
        "x", {"gone": Estimate(math.nan, math.nan, math.nan), "bare": Estimate(1.0, math.nan, math.nan)}
    ) == {"x.bare": 1.0}


def test_tables_tell_ours_the_baseline_and_what_was_left_out(comparison: Comparison) -> None:
    _, markdown = render(comparison)
    assert markdown.startswith("## tiny, leave-one-out\n")
    assert "2 questions over 14 items" in markdown
    assert "| penchant | 0.5000 [0.0000, 1.0000] |" in markdown
    assert "| +0.5000 [+0.0000, +1.0000] |" in markdown
    assert "depth 3" in markdown
    assert "Left out: `hungry`. it is a test." in markdown


def test_baselines_alone_make_a_report_without_ours() -> None:
    alone = compare("tiny", DATA, SPLIT, None, [Baseline("wrong", lambda data, split: first_is("e"), ({},))])
    named, markdown = render(alone)
    assert "penchant" not in markdown
    assert named["baseline.fixed.tiny.loo.hr10"] == 0.0
    assert "tiny.loo.hr10" not in named


def test_repeats_left_in_the_lists_are_said_to_be(comparison: Comparison) -> None:
    _, filtered = render(comparison)
    unfiltered = compare("tiny", dataclasses.replace(DATA, repeats=True), SPLIT, first_is("c"), [])
    assert "taken out of every list" in filtered
    assert "left in the lists" in render(unfiltered)[1]
