"""What another policy would have got, estimated from what one policy showed and what came of it.

Each place of a logged slate holds an item that the policy put there with a known probability, its propensity. Where the
other policy would have put the same item, the outcome counts, and as much more as it was unlikely there: inverse
propensity scoring in the item-position model (Li et al. 2018, "Offline Evaluation of Ranking Policies with Click
Models", section 4.2), which supposes that what comes of an item depends on it and its place, and not on its neighbours.

    IPS   = sum_n w_n r_n / N            unbiased where every item the other policy shows had a chance
    SNIPS = sum_n w_n r_n / sum_n w_n    self-normalised (Swaminathan and Joachims 2015): a little biased, much steadier

with N places, w the ratio of the two policies' probabilities and r the outcome. Both are outcomes a place shown.
"""

from dataclasses import dataclass

import numpy as np

from app.domain import IntArray

DoubleArray = np.ndarray
NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class OffPolicyEstimate:
    """value, low, high: the estimate and its 95% interval. NaN where there is nothing to estimate from."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """logged: outcomes a place under the policy that was logged.

    mean_weight: near 1 where the log holds what the other policy shows; well below, it says little of it. effective:
    places that the estimate rests on, were all of equal weight. largest_weight: one place's; far above the rest it
    decides alone.
    """

    n_slates: int
    n_places: int
    n_matched: int
    logged: OffPolicyEstimate
    ips: OffPolicyEstimate
    snips: OffPolicyEstimate
    mean_weight: float
    effective: float
    largest_weight: float


def estimate(weights: DoubleArray, outcomes: DoubleArray, slates: IntArray, users: IntArray) -> Replayed:
    """weights: (N,) probability under the other policy over the propensity, 0 where it shows another item.

    outcomes: (N,) what came of each place, 0 or 1 as a rule. slates, users: (N,) whose place it is, as whole numbers;
    places of one user stay together in the intervals, since they are not independent.
    """
    earned = weights * outcomes
    return Replayed(
        n_slates=len(np.unique(slates)),
        n_places=len(weights),
        n_matched=int(np.count_nonzero(weights)),
        logged=_ratio(outcomes, np.ones_like(outcomes), users),
        ips=_ratio(earned, np.ones_like(earned), users),
        snips=_ratio(earned, weights, users),
        mean_weight=float(weights.mean()) if len(weights) else float("nan"),
        effective=float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0,
        largest_weight=float(weights.max(initial=0.0)),
    )


def _ratio(above: DoubleArray, below: DoubleArray, users: IntArray) -> OffPolicyEstimate:
    """sum(above) / sum(below), with its interval by the delta method: a ratio of two means over independent users."""
    total = below.sum()
    if not total:
        return OffPolicyEstimate(float("nan"), float("nan"), float("nan"))
    value = above.sum() / total
    _, user = np.unique(users, return_inverse=True)
    n_users = int(user.max()) + 1
    if n_users < 2:
        return OffPolicyEstimate(float(value), float("nan"), float("nan"))
    residuals = np.bincount(user, weights=above - value * below, minlength=n_users)
    error = np.sqrt(n_users / (n_users - 1) * (residuals**2).sum()) / total
    return OffPolicyEstimate(float(value), float(value - NORMAL_95 * error), float(value + NORMAL_95 * error))
