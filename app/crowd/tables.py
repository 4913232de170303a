"""What everybody likes, what they have begun to like, and what is new: a number an item, from a view of the log.

Windows end at the newest event of the log, so that a data set which ended years ago can be looked at too. An event
weighs what is left of it there, where its type has a half-life of its own (`app.history.weights`). Popular is
the sum of weights in a window. Trending is a rise: what an item got lately against what it would have got had its share
of all events stayed as it was over a longer time, in standard deviations of a count.

    lately_i   = sum of weight * 2^(-age / half_life)            usual_i = the same with half_life * BASELINE
    expected_i = usual_i * (sum of lately / sum of usual)
    rise_i     = (lately_i - expected_i) / sqrt(expected_i + 1)
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.crowd.log import CodeArray, View
from app.domain import DoubleArray, FloatArray, IntArray, ItemId
from app.scoring.prior import buckets_of
from app.scoring.trend import decay

BASELINE = 8
"""How many times longer the usual half-life is than the recent one."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of each item code. events: liked events in the window. worth: what they are ranked by."""

    events: IntArray
    worth: FloatArray
    since_s: int
    until_s: int


def tally_popular(view: View, window_s: int | None = None, bucket: int | None = None) -> Tally:
    """Liking within the window; all of the log where it is None. bucket: only events in that part of the week."""
    since_s = view.newest_s - window_s if window_s is not None else _oldest(view)
    within = view.at_s > since_s if window_s is not None else np.ones(len(view.at_s), dtype=np.bool_)
    if bucket is not None:
        within &= buckets_of(view.at_s) == bucket
    items, weights = view.items[within], view.weights[within]
    return Tally(_count(items, view), _sum(items, weights, view), since_s, view.newest_s)


def tally_trending(view: View, half_life_s: int, bucket: int | None = None) -> Tally:
    """Rises, see the module. Events are those of the last half-life."""
    age_s = np.maximum(view.newest_s - view.at_s, 0)
    weights = view.weights
    weights = weights if bucket is None else weights * (buckets_of(view.at_s) == bucket)
    lately = _sum(view.items, weights * np.exp2(-age_s / half_life_s), view)
    usual = _sum(view.items, weights * np.exp2(-age_s / (BASELINE * half_life_s)), view)
    expected = usual * (lately.sum() / max(float(usual.sum()), 1e-12))
    rise = (lately - expected) / np.sqrt(expected + 1.0)
    recent = (age_s < half_life_s) & (weights > 0)
    since_s = view.newest_s - half_life_s
    return Tally(_count(view.items[recent], view), rise.astype(np.float32), since_s, view.newest_s)


def tally_lately(view: View, half_life_days: float) -> FloatArray:
    """(n_items,) decayed likes of each item code, as `app.scoring.trend` counts them; a forgotten user's are none."""
    likes = np.flatnonzero(view.weights > 0)
    return _sum(view.items[likes], decay(np.maximum(view.newest_s - view.at_s[likes], 0), half_life_days), view)


def first_seen(view: View) -> IntArray:
    """Unix seconds of each item's first event in the log."""
    first = np.full(view.n_items, np.iinfo(np.int64).max)
    np.minimum.at(first, view.items, view.at_s)
    return first


def known_since(view: View, created_s: Mapping[ItemId, float]) -> tuple[list[ItemId], DoubleArray]:
    """Items with the Unix seconds of their put, or of their first event where nobody knows of one."""
    since_s: dict[ItemId, float] = dict(zip(view.item_ids, first_seen(view).tolist(), strict=False))
    since_s |= created_s
    return list(since_s), np.array(list(since_s.values()), dtype=np.float64)


def count_events(view: View) -> IntArray:
    """Events of each item in the log."""
    return _count(view.items, view)


def _oldest(view: View) -> int:
    return int(view.at_s.min()) if len(view.at_s) else 0


def _sum(items: CodeArray, weights: FloatArray, view: View) -> FloatArray:
    return np.bincount(items, weights, minlength=view.n_items).astype(np.float32)


def _count(items: CodeArray, view: View) -> IntArray:
    return np.bincount(items, minlength=view.n_items).astype(np.int64)
