"""Bootstrap intervals of a mean over questions, drawing users rather than questions."""

from dataclasses import dataclass

import numpy as np

from app.domain import IntArray
from app.offline.metrics import Values

RESAMPLES = 2_000
LEVEL = 0.95
DRAWN_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the ends of its interval. All NaN where there was nothing to take the mean of."""

    value: float
    low: float
    high: float


def bootstrap_interval(values: Values, users: IntArray | None = None, *, seed: int = 0) -> Estimate:
    """Mean of `values` with its 95% percentile interval. users: whose value each is; without it, each of another user.

    Values of one user stay together in every resample, since they are not independent. A resample of a mean depends
    only on how often each distinct value was drawn, so counts are drawn instead of indices: exactly the same bootstrap
    as scipy.stats.bootstrap(method="percentile"), at 15 ms rather than 0.5 s for 22,000 ranks. A report holds hundreds.
    """
    if len(values) == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    sums, sizes, shares, n_users = _distinct_users(values, users)
    rng = np.random.default_rng(seed)
    means = []
    for start in range(0, RESAMPLES, DRAWN_AT_ONCE):
        drawn = rng.multinomial(n_users, shares, size=min(DRAWN_AT_ONCE, RESAMPLES - start))
        means.append((drawn @ sums) / (drawn @ sizes))
    low, high = np.quantile(np.concatenate(means), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(np.mean(values)), float(low), float(high))


def paired_difference(ours: Values, theirs: Values, users: IntArray | None = None, *, seed: int = 0) -> Estimate:
    """Mean of ours - theirs over the same questions, in the same order. Above 0 in `low`: ours is better."""
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} values against {len(theirs)}: a pair needs the same questions on both sides")
    return bootstrap_interval(ours - theirs, users, seed=seed)


def _distinct_users(values: Values, users: IntArray | None) -> tuple[Values, Values, Values, int]:
    """Users who gave the same sum over the same number of questions are one case: its sum, its size, its share."""
    place = np.arange(len(values)) if users is None else np.unique(users, return_inverse=True)[1]
    sums, sizes = np.bincount(place, weights=values), np.bincount(place)
    cases, times = np.unique(np.stack([sums, sizes]), axis=1, return_counts=True)
    return cases[0], cases[1], times / len(sums), len(sums)
