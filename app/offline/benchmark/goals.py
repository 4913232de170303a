"""The figures to beat: what must be reached, and what would be ahead of every published peer found."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """figure: as the report names it. must, ahead: at least this much, or at most where at_most; None: none set.

    over: a baseline's figure that `must` is a multiple of, instead of a number of its own. peer: the best published
    figure found on the same data, split and question, and whose it is.
    """

    figure: str
    what: str
    must: float | None
    ahead: float | None = None
    at_most: bool = False
    over: str = ""
    peer: tuple[float, str] | None = None

    def target(self, figures: Mapping[str, float]) -> float | None:
        """What must be reached, given the baseline where it is told against one."""
        if not self.over or self.must is None:
            return self.must
        return figures[self.over] * self.must if self.over in figures else None

    def is_reached(self, figures: Mapping[str, float]) -> bool | None:
        """None where it was not measured."""
        target = self.target(figures)
        if self.figure not in figures or target is None:
            return None
        value = figures[self.figure]
        return value <= target if self.at_most else value >= target


BEST = "best"
"""Name in `over` of the best tuned baseline there is: `baseline.best.<data>.<split>.<metric>`."""

TIME_TO_SPLIT = "SASRec+, Time to Split"
HSTU_LARGE = "HSTU-large, RecTools"
BSAREC = "BSARec, RecBoard"

GOALS = (
    Goal("baseline.sasrec_ce.ml1m.loo.ndcg10", "The harness: own SASRec-CE on MovieLens-1M", 0.178),
    Goal("ml1m.time.ndcg10", "MovieLens-1M, global time split, NDCG@10", 0.100, 0.105, peer=(0.095, TIME_TO_SPLIT)),
    Goal("ml1m.time.hr10", "MovieLens-1M, global time split, HR@10", 0.175, 0.180, peer=(0.169, TIME_TO_SPLIT)),
    Goal("ml1m.loo.ndcg10", "MovieLens-1M, leave-one-out, NDCG@10", 0.195, 0.2164, peer=(0.2164, HSTU_LARGE)),
    Goal("ml1m.loo.hr10", "MovieLens-1M, leave-one-out, HR@10", 0.330, 0.3642, peer=(0.3642, HSTU_LARGE)),
    Goal(
        "ml1m.loo.ndcg10.gap_from_1h",
        "MovieLens-1M, an hour or more after the last event, against SASRec-CE with time",
        1.10,
        over="baseline.sasrec_ce_time.ml1m.loo.ndcg10.gap_from_1h",
    ),
    Goal("beauty.loo.ndcg10", "Beauty 2014, leave-one-out, NDCG@10", 0.060, 0.0640, peer=(0.0610, BSAREC)),
    Goal("beauty.loo.hr10", "Beauty 2014, leave-one-out, HR@10", 0.100, 0.105, peer=(0.1002, BSAREC)),
    Goal("beauty.cold.hr10", "Beauty, items never seen in training, HR@10 among all", 0.043),
    Goal("beauty.cold.ndcg10", "Beauty, items never seen in training, NDCG@10 among all", None, 0.0224),
    Goal(
        "baseline.penchant_text.beauty.loo.ndcg10",
        "Beauty, LLM block alone against own SASRec-CE",
        1.0,
        over="baseline.sasrec_ce.beauty.loo.ndcg10",
    ),
    Goal(
        "baseline.penchant_text.beauty.loo.ndcg10.frequency_1_5",
        "Beauty, LLM block alone, targets with 1 to 5 events, against own SASRec-CE",
        2.0,
        over="baseline.sasrec_ce.beauty.loo.ndcg10.frequency_1_5",
    ),
    Goal(
        "steam.time.ndcg10",
        "Steam, global time split, against the best tuned baseline",
        1.03,
        over="baseline.best.steam.time.ndcg10",
    ),
    Goal(
        "mlsmall.time.ndcg10",
        "MovieLens small, global time split, against the best tuned baseline",
        1.05,
        over="baseline.best.mlsmall.time.ndcg10",
    ),
    Goal(
        "frappe.random.hr10",
        "Frappe, context against none, HR@10",
        1.05,
        over="baseline.without_gate.frappe.random.hr10",
    ),
    Goal(
        "frappe.random.hr10.new",
        "Frappe, context against none, apps new to the user, HR@10",
        1.15,
        over="baseline.without_gate.frappe.random.hr10.new",
    ),
    Goal("frappe.random.auc", "Frappe in the form of BARS, AUC", 0.975, 0.9861),
    Goal("cost.event_ms", "A new event on cached state, one core, ms", 10.0, at_most=True),
    Goal("cost.head_ms", "Request head, one core, ms", 1.0, at_most=True),
)


def tell_seeds(figure: str, figures: Mapping[str, float]) -> str:
    """How many seeds it is the mean of; "" for what has none."""
    words = figure.split(".")
    for length in range(len(words), 0, -1):
        if (seeds := figures.get(".".join([*words[:length], "seeds"]))) is not None:
            return f"{seeds:.0f}"
    return ""
