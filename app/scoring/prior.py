"""The prior: how popular an item is in a part of the week, in logs, before anything is known of the user.

    prior(i, b) = ln( N p_i * (n_ib + m) / (n_i q_b + m) )        p_i = n_i / n,  q_b = n_b / n

with n_ib training events of item i in bucket b, n_i q_b of them expected: 0 for an item of average popularity. The lift
of a bucket is held to 1 by m = 100 events: an item's few events say nothing of when it is wanted (with m = 0 the noise
of buckets cost 4% of NDCG on Beauty 2014). It is a column an item and a bucket, so it goes into the index like any
other dimension; one more column is the trend's (see `app.scoring.trend`), which training leaves at 0. p_i is what the
blocks are trained beside, so that the parts fit (see docs/decisions/0022).

An item without an event has no such share: n_i is then `unseen_events`, what arrivals have come to before (see
docs/decisions/0029).
"""

from datetime import datetime

import numpy as np

from app.domain import FloatArray, IntArray

_PARTS = ("night", "morning", "day", "evening")
BUCKET_NAMES = tuple(f"{day} {part}" for day in ("weekday", "weekend") for part in _PARTS)
N_BUCKETS = len(BUCKET_NAMES)
TREND = N_BUCKETS
PRIOR_DIM = N_BUCKETS + 1
"""Columns of an index vector behind the item vector: the prior in each part of the week, then the trend."""
SHRINK_EVENTS = 100.0
LEAST_EVENTS = 0.5  # what an item without an event counts as at least: less than one with
LATE_SHARE = 0.1
"""Of the events, the newest: what came of items in them that nobody had met before tells what comes of unmet items."""


def buckets_of(at_s: IntArray) -> IntArray:
    """(n,) bucket of each time: quarter of the UTC day, and whether it is a weekend."""
    quarter = at_s // 21_600 % 4
    weekend = (at_s // 86_400 + 3) % 7 >= 5
    return (quarter + 4 * weekend).astype(np.int64)


def bucket_of(at: datetime) -> int:
    return int(buckets_of(np.array([int(at.timestamp())]))[0])


def popularity_prior(rows: IntArray, at_s: IntArray, n_items: int) -> FloatArray:
    """(N, PRIOR_DIM) from the training events, the trend at 0; see the module for the formula."""
    counts = np.zeros((n_items, N_BUCKETS))
    np.add.at(counts, (rows, buckets_of(at_s)), 1)
    events = counts.sum(axis=1, keepdims=True)  # (N, 1)
    unseen = unseen_events(rows, at_s, n_items)
    all_events = max(counts.sum(), 1.0)
    expected = events * counts.sum(axis=0) / all_events
    lift = (counts + SHRINK_EVENTS) / (expected + SHRINK_EVENTS)
    prior = np.log(n_items * np.where(events > 0, events, unseen) / all_events * lift)
    return np.hstack([prior, np.zeros((n_items, 1))]).astype(np.float32)


def unseen_events(rows: IntArray, at_s: IntArray, n_items: int) -> float:
    """How many of the training events an item without one would have had, had it been there from the start.

    Of the newest tenth, the share that fell on items unmet before it, spread over all items unmet before it, as events
    of the whole. Held between LEAST_EVENTS and the mean of all items: a newcomer is not promised more than the average.
    """
    if not len(rows):
        return LEAST_EVENTS
    in_order = rows[np.argsort(at_s, kind="stable")]
    late = in_order[int(len(rows) * (1 - LATE_SHARE)) :]
    unmet = np.ones(n_items, dtype=np.bool_)
    unmet[in_order[: -len(late)]] = False
    each = unmet[late].mean() / max(np.count_nonzero(unmet), 1) * len(rows)
    return float(np.clip(each, LEAST_EVENTS, max(len(rows) / n_items, LEAST_EVENTS)))


def unseen_prior(n_events: IntArray, unseen: float) -> FloatArray:
    """(PRIOR_DIM,) of an item that training did not hold: what the formula gives for one that it saw no event of.

    n_events: (N,) training events. unseen: their `unseen_events`.
    """
    prior = np.full(PRIOR_DIM, np.log(len(n_events) * unseen / max(n_events.sum(), 1)), dtype=np.float32)
    prior[TREND] = 0.0
    return prior


def long_run_share(n_events: IntArray, unseen: float) -> FloatArray:
    """(N,) share p_i of each item in the training events. unseen: what an item without any counts as."""
    return np.asarray(np.where(n_events > 0, n_events, unseen) / max(n_events.sum(), 1), dtype=np.float32)
