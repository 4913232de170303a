"""Intervals that hold at every look: results may be read as often as one likes, and acted on when they are clear.

An ordinary 95% interval is right for one look that was planned. Looked at daily until it excludes zero, it does so for
a third of experiments that change nothing. These are the mixture sequential probability ratio test turned into a
confidence sequence (Johari, Koomen, Pekelis, Walsh: Always Valid Inference, Operations Research 70(3), 2022, section 5,
for a normal mixture; the bound is Robbins', 1970): with the stated confidence *all* looks together cover the truth.

Of our own, ten lines: confseq must be compiled and rests since 2023, savvi brings a convex solver, spotify-confidence
brings pandas and has group-sequential bounds, for looks that are planned beforehand.
"""

import math
from dataclasses import dataclass

FEWEST_UNITS = 100
"""Of each arm. The theorem is about large samples: below this the interval is everything."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From low to high, both differences of two rates."""

    low: float
    high: float

    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def always_valid_interval(
    successes: int, units: int, base_successes: int, base_units: int, *, effect: float, confidence: float
) -> Interval:
    """Of rate minus base rate. Units must be independent of each other.

    effect: the difference that is hoped for, above 0; the interval is valid for any, and tightest about there when
    this is near the truth. It must be chosen before the data is seen.
    """
    if min(units, base_units) < FEWEST_UNITS:
        return Interval(-1.0, 1.0)
    variance = _variance(successes, units) + _variance(base_successes, base_units)
    mixture = effect**2
    spread = variance * (variance + mixture) / mixture
    half = math.sqrt(spread * (math.log((variance + mixture) / variance) - 2 * math.log(1 - confidence)))
    difference = successes / units - base_successes / base_units
    return Interval(max(-1.0, difference - half), min(1.0, difference + half))


def _variance(successes: int, units: int) -> float:
    """Of a rate, with one success and one failure added: no luck makes it zero."""
    rate = (successes + 1) / (units + 2)
    return rate * (1 - rate) / units
