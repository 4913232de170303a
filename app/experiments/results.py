"""What came of an experiment: rates of its arms, always-valid intervals, and whether it may stop."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.experiments.experiment import Experiment
from app.experiments.sequential import FEWEST_UNITS, Interval, always_valid_interval

UNLIKELY_SHARE_Z = 4.0
"""Arms whose numbers of units lie so many standard errors from their shares were not split as they should be."""

STOP_RULES = (
    "An arm's interval of the difference to the first arm excludes zero: it is better, or worse, and you may stop.",
    "Every interval lies within plus and minus `effect`: no difference that matters, and you may stop.",
    "`max_days` have passed: nothing was found, stop.",
    f"Until each arm has {FEWEST_UNITS} units, and while the units are not split by the shares, nothing is decided.",
)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """units: users or sessions served. successes: those with an event that counts, after a slate of this arm.

    difference: of the success rate to the first arm's, with an interval that holds at every look; None for that arm.
    verdict: base, undecided, better or worse.
    """

    name: str
    slates: int
    units: int
    successes: int
    difference: float | None
    interval: Interval | None
    verdict: str

    @property
    def rate(self) -> float:
        return self.successes / self.units if self.units else 0.0


@dataclass(frozen=True, slots=True)
class Results:
    """arms: in the experiment's order. balanced: whether units fell to the arms by their shares. may_stop, why: by
    STOP_RULES."""

    arms: tuple[ArmResult, ...]
    balanced: bool
    may_stop: bool
    why: str


def judge(experiment: Experiment, counts: dict[str, tuple[int, int, int]], now: datetime) -> Results:
    """counts: arm name -> slates, units, successes. The level is shared out among the arms compared (Bonferroni)."""
    told = [(arm.name, *counts.get(arm.name, (0, 0, 0))) for arm in experiment.arms]
    balanced = _is_balanced(experiment, [units for _, _, units, _ in told])
    confidence = 1 - (1 - experiment.confidence) / (len(told) - 1)
    (name, slates, base_units, base_successes), *others = told
    arms = [ArmResult(name, slates, base_units, base_successes, None, None, "base")]
    for name, slates, units, successes in others:
        interval = always_valid_interval(
            successes, units, base_successes, base_units, effect=experiment.effect, confidence=confidence
        )
        difference = successes / units - base_successes / base_units if units and base_units else None
        verdict = "undecided"
        if balanced and interval.excludes_zero():
            verdict = "better" if interval.low > 0 else "worse"
        arms.append(ArmResult(name, slates, units, successes, difference, interval, verdict))
    return Results(tuple(arms), balanced, *_may_stop(experiment, arms, now, balanced=balanced))


def _may_stop(experiment: Experiment, arms: list[ArmResult], now: datetime, *, balanced: bool) -> tuple[bool, str]:
    if not balanced:
        return False, "The units are not split by the shares: find out why before you believe anything of this."
    if decided := [arm for arm in arms if arm.verdict in {"better", "worse"}]:
        return True, "; ".join(f"{arm.name} is {arm.verdict} than {arms[0].name}" for arm in decided)
    intervals = [arm.interval for arm in arms if arm.interval is not None]
    if all(-experiment.effect <= one.low and one.high <= experiment.effect for one in intervals):
        return True, f"No difference as large as {experiment.effect:g} is left to be found."
    if now - experiment.started_at > timedelta(days=experiment.max_days):
        return True, f"{experiment.max_days} days have passed and nothing was found."
    return False, "Undecided: go on."


def _is_balanced(experiment: Experiment, units: list[int]) -> bool:
    n, shares = sum(units), sum(arm.share for arm in experiment.arms)
    for arm, found in zip(experiment.arms, units, strict=True):
        share = arm.share / shares
        if n and abs(found - n * share) > UNLIKELY_SHARE_Z * math.sqrt(n * share * (1 - share)):
            return False
    return True
