"""The prior: how popular an item is in a part of the week, in logs, before anything is known of the user.

    prior(i, b) = ln( N * (n_ib + m p_i) / (n_b + m) )        p_i = (n_i + 1) / (n + N)

with n_ib training events of item i in bucket b: 0 for an item of average popularity. Shrinking each bucket's share to
the item's share overall (m = 1,000 events) keeps thin buckets honest. It is a column an item and a bucket, so it goes
into the index like any other dimension.
"""

from datetime import datetime

import numpy as np

from app.domain import FloatArray, IntArray

_PARTS = ("night", "morning", "day", "evening")
BUCKET_NAMES = tuple(f"{day} {part}" for day in ("weekday", "weekend") for part in _PARTS)
N_BUCKETS = len(BUCKET_NAMES)
SHRINK_EVENTS = 1_000.0


def buckets_of(at_s: IntArray) -> IntArray:
    """(n,) bucket of each time: quarter of the UTC day, and whether it is a weekend."""
    quarter = at_s // 21_600 % 4
    weekend = (at_s // 86_400 + 3) % 7 >= 5
    return (quarter + 4 * weekend).astype(np.int64)


def bucket_of(at: datetime) -> int:
    return int(buckets_of(np.array([int(at.timestamp())]))[0])


def popularity_prior(rows: IntArray, at_s: IntArray, n_items: int) -> FloatArray:
    """(N, N_BUCKETS) from the training events; see the module for the formula."""
    counts = np.zeros((n_items, N_BUCKETS))
    np.add.at(counts, (rows, buckets_of(at_s)), 1)
    share = (counts.sum(axis=1, keepdims=True) + 1) / (counts.sum() + n_items)
    in_bucket = (counts + SHRINK_EVENTS * share) / (counts.sum(axis=0) + SHRINK_EVENTS)
    return np.log(n_items * in_bucket).astype(np.float32)


def unseen_prior(prior: FloatArray, n_events: IntArray) -> FloatArray:
    """(N_BUCKETS,) of an item that training did not hold: what the formula gives for one that it saw no event of.

    prior: (N, N_BUCKETS). n_events: (N,) training events. Where every trained item has events, the share of a bucket
    is read from the item that has least of its events there, which for some item is none.
    """
    if not n_events.all():
        return prior[int(n_events.argmin())].copy()
    n_items = len(prior)
    log_share = np.log((n_events + 1) / (n_events.sum() + n_items) * n_items)
    of_bucket = (prior - log_share[:, None]).min(axis=0)  # ln(m / (n_b + m))
    return (np.log(n_items / (n_events.sum() + n_items)) + of_bucket).astype(np.float32)
