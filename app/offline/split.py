"""Which events may be learned from and which are questions, by four protocols.

Three put at most one question a user: given everything the user did before it, which item came next? A question is
named by the position of its event; its history is every earlier event of the same user, whether or not it was trained
on. RANDOM asks for a tenth of all events, given the same user's training events. Only liked events (weight above 0) are
asked for: a refusal is nothing to recommend.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.domain import BoolArray, IntArray
from app.offline.dataset import Dataset


class Protocol(StrEnum):
    """LEAVE_ONE_OUT is for comparison with published figures; GLOBAL_TIME is what a live service would meet; COLD_ITEMS
    asks for nothing but items that no training event is of; RANDOM is for data without a clock, where the same thing is
    wanted again and again and the question is in what context."""

    LEAVE_ONE_OUT = "loo"
    GLOBAL_TIME = "time"
    COLD_ITEMS = "cold"
    RANDOM = "random"


COLD_TEST, COLD_VALIDATION = 0.10, 0.05  # shares of the catalogue that are never trained on
RANDOM_TRAIN, RANDOM_VALIDATION = 0.7, 0.2  # shares of each user's events, as BARS divides Frappe; the rest is the test
DRAW_SEED = 0  # one draw for all runs: their questions are the same, so that they can be compared question by question


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
    if protocol is Protocol.COLD_ITEMS:
        return _cold_items(dataset)
    if protocol is Protocol.RANDOM:
        return _random(dataset)
    return _global_time(dataset, quantile)


def _leave_one_out(dataset: Dataset) -> Split:
    """Each user's last liked event is the test, the one before it validation; with fewer than 3 a user only trains."""
    asked = dataset.weights > 0
    enough = np.bincount(dataset.users[asked], minlength=dataset.n_users) >= 3
    asked &= enough[dataset.users]
    test = _last_of_each_user(dataset, asked)
    asked[test] = False
    validation = _last_of_each_user(dataset, asked)
    return Split(Protocol.LEAVE_ONE_OUT, ~_from_question_on(dataset, validation), validation, test)


def _global_time(dataset: Dataset, quantile: float) -> Split:
    """Everything from the cut on is unseen; a user's last liked event after the cut is the test.

    Validation imitates that without giving the newest weeks away: of users whose last liked event before the cut lies
    in the last (1 - quantile) share of the training events, that one event (with what they refused after it) is held
    out. Source of the protocol: Time to Split (Gusak et al. 2025), global temporal split with the last event as target.
    """
    cut = np.quantile(dataset.at_s, quantile, method="higher")
    before = dataset.at_s < cut
    window = np.quantile(dataset.at_s[before], quantile, method="higher") if before.any() else cut
    has_history = np.arange(len(dataset.rows)) > dataset.starts[dataset.users]
    asked = (dataset.weights > 0) & has_history
    test = _last_of_each_user(dataset, asked & ~before)
    validation = _last_of_each_user(dataset, asked & before)
    validation = validation[dataset.at_s[validation] >= window]
    return Split(Protocol.GLOBAL_TIME, before & ~_from_question_on(dataset, validation), validation, test)


def _cold_items(dataset: Dataset) -> Split:
    """No event of a tenth of the items, drawn at random, is trained on; who liked one of them last is asked for it.

    Validation is asked by a twentieth of the items in the same way. Cold items stand in histories as they did in life;
    whoever's last liked event is of another item only trains.
    """
    drawn = np.random.default_rng(DRAW_SEED).random(dataset.n_items)[dataset.rows]  # (E,), the same for all of an item
    of_test = drawn < COLD_TEST
    of_validation = ~of_test & (drawn < COLD_TEST + COLD_VALIDATION)
    last = _last_of_each_user(dataset, dataset.weights > 0)
    last = last[last > dataset.starts[dataset.users[last]]]
    test, validation = last[of_test[last]], last[of_validation[last]]
    asked = _from_question_on(dataset, np.concatenate([test, validation]))
    return Split(Protocol.COLD_ITEMS, ~of_test & ~of_validation & ~asked, validation, test)


def shuffle(dataset: Dataset) -> Dataset:
    """The same events without their times, in a random order within each user, for the protocol RANDOM.

    Histories end where a user's training events do, so that no question is answered by another, and seen items may be
    asked for again.
    """
    drawn = np.random.default_rng(DRAW_SEED).random(len(dataset.rows))
    order = np.lexsort((drawn, dataset.users))
    return dataclasses.replace(
        dataset,
        rows=dataset.rows[order],
        at_s=np.arange(len(order)),
        weights=dataset.weights[order],
        context={name: values[order] for name, values in dataset.context.items()},
        has_times=False,
        repeats=True,
        known_until=dataset.starts[:-1] + _first_events(dataset, RANDOM_TRAIN),
    )


def _random(dataset: Dataset) -> Split:
    """Raises ValueError for a data set that was not shuffled."""
    if dataset.known_until is None:
        raise ValueError(f"{dataset.name} is in the order of its source: shuffle it before a random split")
    positions = np.arange(len(dataset.rows))
    train = positions < dataset.known_until[dataset.users]
    end = dataset.starts[:-1] + _first_events(dataset, RANDOM_TRAIN + RANDOM_VALIDATION)
    before_test = positions < end[dataset.users]
    liked = dataset.weights > 0
    validation = np.flatnonzero(~train & before_test & liked)
    return Split(Protocol.RANDOM, train, validation, np.flatnonzero(~before_test & liked))


def _first_events(dataset: Dataset, share: float) -> IntArray:
    """(U,): how many events this share of each user's is, at least one."""
    return np.maximum(np.round(np.diff(dataset.starts) * share), 1).astype(np.int64)


def _last_of_each_user(dataset: Dataset, among: BoolArray) -> IntArray:
    """Positions, ascending; users without any of these events are left out."""
    last = np.full(dataset.n_users, -1, dtype=np.int64)
    positions = np.flatnonzero(among)
    last[dataset.users[positions]] = positions  # the last of equal indices wins
    return last[last >= 0]


def _from_question_on(dataset: Dataset, questions: IntArray) -> BoolArray:
    """(E,): the question's own event and every later one of its user."""
    first = np.full(dataset.n_users, len(dataset.rows), dtype=np.int64)
    first[dataset.users[questions]] = questions
    return np.arange(len(dataset.rows)) >= first[dataset.users]
