"""The prior: how popular an item is in a part of the week, in logs, before anything is known of the user.

    prior(i, b) = ln( N p_i * (n_ib + m) / (n_i q_b + m) )        p_i = max(n_i, 1/2) / n,  q_b = n_b / n

with n_ib training events of item i in bucket b, n_i q_b of them expected: 0 for an item of average popularity. The lift
of a bucket is held to 1 by m = 100 events: an item's few events say nothing of when it is wanted (with m = 0 the noise
of buckets cost 4% of NDCG on Beauty 2014). It is a column an item and a bucket, so it goes into the index like any
other dimension; one more column is the trend's (see `app.scoring.trend`), which training leaves at 0. p_i is what the
blocks are trained beside, so that the parts fit (see docs/decisions/0022).
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
UNSEEN_EVENTS = 0.5  # what an item without an event counts as: less than one with


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
    all_events = max(counts.sum(), 1.0)
    expected = events * counts.sum(axis=0) / all_events
    lift = (counts + SHRINK_EVENTS) / (expected + SHRINK_EVENTS)
    prior = np.log(n_items * np.maximum(events, UNSEEN_EVENTS) / all_events * lift)
    return np.hstack([prior, np.zeros((n_items, 1))]).astype(np.float32)


def unseen_prior(n_events: IntArray) -> FloatArray:
    """(PRIOR_DIM,) of an item that training did not hold: what the formula gives for one that it saw no event of.

    n_events: (N,) training events.
    """
    prior = np.full(PRIOR_DIM, np.log(len(n_events) * UNSEEN_EVENTS / max(n_events.sum(), 1)), dtype=np.float32)
    prior[TREND] = 0.0
    return prior


def long_run_share(n_events: IntArray) -> FloatArray:
    """(N,) share p_i of each item in the training events. n_events: (N,), 0 for items that training did not hold."""
    return np.asarray(np.maximum(n_events, UNSEEN_EVENTS) / max(n_events.sum(), 1), dtype=np.float32)
