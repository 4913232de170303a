"""Which events may be learned from and which are questions, by two protocols.

Both put one question a user: given everything the user did before it, which item came next? A question is named by the
position of its event; its history is every earlier event of the same user, whether or not it was trained on.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.domain import BoolArray, IntArray
from app.offline.dataset import Dataset


class Protocol(StrEnum):
    """LEAVE_ONE_OUT is for comparison with published figures; GLOBAL_TIME is what a live service would meet."""

    LEAVE_ONE_OUT = "loo"
    GLOBAL_TIME = "time"


@dataclass(frozen=True)
class Split:
    """train: (E,) bool, events that may be learned from. validation, test: positions of the events asked for."""

    protocol: Protocol
    train: BoolArray
    validation: IntArray
    test: IntArray


def split(dataset: Dataset, protocol: Protocol, *, quantile: float = 0.9) -> Split:
    """Split by `protocol`; `quantile` is the share of events before the global cut and is read by GLOBAL_TIME alone."""
    if protocol is Protocol.LEAVE_ONE_OUT:
        return _leave_one_out(dataset)
    return _global_time(dataset, quantile)


def _leave_one_out(dataset: Dataset) -> Split:
    """Each user's last event is the test, the one before it validation; users with fewer than 3 events only train."""
    starts, ends = dataset.starts[:-1], dataset.starts[1:]
    asked = ends - starts >= 3
    test, validation = ends[asked] - 1, ends[asked] - 2
    return _without(dataset, Protocol.LEAVE_ONE_OUT, validation, test, held_out=np.concatenate([validation, test]))


def _global_time(dataset: Dataset, quantile: float) -> Split:
    """Everything from the cut on is unseen; a user's last event after the cut is the test.

    Validation imitates that without giving the newest weeks away: of users whose last event before the cut lies in the
    last (1 - quantile) share of the training events, that one event alone is held out.
    Source of the protocol: Time to Split (Gusak et al. 2025), global temporal split with the last event as target.
    """
    cut = np.quantile(dataset.at_s, quantile, method="higher")
    before = dataset.at_s < cut
    window = np.quantile(dataset.at_s[before], quantile, method="higher") if before.any() else cut
    last = dataset.starts[1:] - 1
    test = last[(dataset.at_s[last] >= cut) & (last > dataset.starts[:-1])]
    n_before = np.bincount(dataset.users[before], minlength=dataset.n_users)
    last_before = dataset.starts[:-1] + n_before - 1
    kept = n_before >= 2
    validation = last_before[kept & (dataset.at_s[np.maximum(last_before, 0)] >= window)]
    return _without(
        dataset, Protocol.GLOBAL_TIME, validation, test, held_out=np.concatenate([validation, np.flatnonzero(~before)])
    )


def _without(
    dataset: Dataset, protocol: Protocol, validation: IntArray, test: IntArray, *, held_out: IntArray
) -> Split:
    train = np.ones(len(dataset.rows), dtype=np.bool_)
    train[held_out] = False
    return Split(protocol, train, validation, test)
