"""The newest events of everybody, as columns in memory.

Items, users and contexts, which are distinct sets of features, are numbered by *codes*, in the order in which they are
met. Only what was liked (weight above 0) of items that the catalogue knows is kept. 28 bytes an event: a million events
are 28 MB.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from app.domain import FloatArray, IntArray, ItemId, UserId
from app.history.features import NONE, Features
from app.history.feed import Deed

CodeArray = npt.NDArray[np.int32]
T = TypeVar("T", bound=np.generic)
ROOM = 1_024
MOST_CONTEXTS = 4_096
"""An event of one more counts as without features. A client that tells a moment or an id as a feature fills this with
contexts of one event each."""
SLACK = 0.25
"""Events past `most_events` that are let in before the oldest go, as a share of it: dropping copies what stays."""


@dataclass(frozen=True, slots=True)
class View:
    """The log at one moment, to be read from any thread: columns of n events in the order of arrival.

    items, users: codes, below n_items and n_users. at_s: Unix seconds. told_weights: from 0 (a user forgotten) to 1.
    half_lives_s: of what each event weighs; None while nothing here fades. contexts: codes, 0 for no features.
    item_ids, user_ids, features: what the codes stand for; longer ones may follow.
    """

    items: CodeArray
    users: CodeArray
    at_s: IntArray
    told_weights: FloatArray
    half_lives_s: FloatArray | None
    contexts: CodeArray
    item_ids: Sequence[ItemId]
    user_ids: Sequence[UserId]
    features: Sequence[Features]
    n_items: int
    n_users: int
    newest_s: int

    @property
    def weights(self) -> FloatArray:
        """(n,) what each event weighs at the newest one."""
        if self.half_lives_s is None:
            return self.told_weights
        age_s = (self.newest_s - self.at_s).astype(np.float32)
        return self.told_weights * np.exp2(-age_s / self.half_lives_s)

    def within(self, features: Features) -> "View":
        """The events in whose context all these features held; of two values of one feature, either."""
        if not features:
            return self
        named = {name: {(name, value) for other, value in features if other == name} for name, _ in features}
        holds = [all(told & values for values in named.values()) for told in self.features]
        of_it = np.array(holds, dtype=np.bool_)[self.contexts]
        return replace(
            self,
            items=self.items[of_it],
            users=self.users[of_it],
            at_s=self.at_s[of_it],
            told_weights=self.told_weights[of_it],
            half_lives_s=None if self.half_lives_s is None else self.half_lives_s[of_it],
            contexts=self.contexts[of_it],
        )


class CrowdLog:
    """Grows at the end; the oldest events go once there are too many. Belongs to one thread, its views to any."""

    def __init__(self, most_events: int) -> None:
        self._most = most_events
        self.item_ids: list[ItemId] = []
        self._user_ids: list[UserId] = []
        self._item_code: dict[ItemId, int] = {}
        self._user_code: dict[UserId, int] = {}
        self._n = 0
        self._newest_s = 0
        self._items: CodeArray = np.zeros(ROOM, dtype=np.int32)
        self._users: CodeArray = np.zeros(ROOM, dtype=np.int32)
        self._at_s: IntArray = np.zeros(ROOM, dtype=np.int64)
        self._weights: FloatArray = np.zeros(ROOM, dtype=np.float32)
        self._half_lives_s: FloatArray = np.zeros(ROOM, dtype=np.float32)
        self._fades = False
        self._contexts: CodeArray = np.zeros(ROOM, dtype=np.int32)
        self._features: list[Features] = [NONE]
        self._context_code: dict[Features, int] = {NONE: 0}

    def __len__(self) -> int:
        return self._n

    def code_of(self, item_id: ItemId) -> int | None:
        return self._item_code.get(item_id)

    def user_code_of(self, user_id: UserId) -> int | None:
        return self._user_code.get(user_id)

    def user_ids(self) -> list[UserId]:
        """Of everybody who has an event here."""
        return list(self._user_code)

    def append(self, deeds: Sequence[Deed]) -> None:
        """deeds: liked, of known items."""
        deeds = deeds[-self._most :]
        if not deeds:
            return
        self._make_room(len(deeds))
        new = slice(self._n, self._n + len(deeds))
        self._items[new] = [self._number_item(deed.item_id) for deed in deeds]
        self._users[new] = [self._number_user(deed.user_id) for deed in deeds]
        self._at_s[new] = [deed.at_s for deed in deeds]
        self._weights[new] = [deed.weight for deed in deeds]
        self._half_lives_s[new] = [deed.half_life_s for deed in deeds]
        self._fades = self._fades or bool(np.isfinite(self._half_lives_s[new]).any())
        self._contexts[new] = [self._number_context(deed.features) for deed in deeds]
        self._n = new.stop
        self._newest_s = max(self._newest_s, int(self._at_s[new].max()))

    def forget(self, user_id: UserId) -> None:
        """A user's events weigh nothing from now on, and neither their id nor their contexts are told any more."""
        code = self._user_code.pop(user_id, None)
        if code is not None:
            self._user_ids[code] = UserId("")
            self._weights = np.where(self._users == code, np.float32(0), self._weights)
            self._contexts = np.where(self._users == code, np.int32(0), self._contexts)
            self._renumber_contexts()

    def view(self) -> View:
        n = self._n
        columns = (self._items[:n], self._users[:n], self._at_s[:n], self._weights[:n])
        half_lives_s = self._half_lives_s[:n] if self._fades else None
        names = (self.item_ids, self._user_ids, self._features)
        numbers = (len(self.item_ids), len(self._user_ids), self._newest_s)
        return View(*columns, half_lives_s, self._contexts[:n], *names, *numbers)

    def _number_item(self, item_id: ItemId) -> int:
        code = self._item_code.setdefault(item_id, len(self.item_ids))
        if code == len(self.item_ids):
            self.item_ids.append(item_id)
        return code

    def _number_user(self, user_id: UserId) -> int:
        code = self._user_code.setdefault(user_id, len(self._user_ids))
        if code == len(self._user_ids):
            self._user_ids.append(user_id)
        return code

    def _number_context(self, features: Features) -> int:
        """0 too where there are too many sets already."""
        code = self._context_code.get(features)
        if code is None and len(self._features) <= MOST_CONTEXTS:
            code = self._context_code[features] = len(self._features)
            self._features.append(features)
        return code or 0

    def _make_room(self, n: int) -> None:
        """Into new arrays always: a view that somebody still reads is never written over."""
        full = self._n + n > self._most * (1 + SLACK)
        if not full and self._n + n <= len(self._items):
            return
        kept = slice(max(0, self._n + n - self._most), self._n) if full else slice(0, self._n)
        n_kept = kept.stop - kept.start
        size = max(n_kept + n, min(2 * (n_kept + n), int(self._most * (1 + SLACK))))
        self._items = _moved(self._items[kept], size)
        self._users = _moved(self._users[kept], size)
        self._at_s = _moved(self._at_s[kept], size)
        self._weights = _moved(self._weights[kept], size)
        self._half_lives_s = _moved(self._half_lives_s[kept], size)
        self._contexts = _moved(self._contexts[kept], size)
        self._n = n_kept
        if full:
            self._renumber_users()
            self._renumber_contexts()

    def _renumber_users(self) -> None:
        """Only those whose events are still here keep a number: users come and go, items are those of the catalogue."""
        codes, users = np.unique(self._users[: self._n], return_inverse=True)
        self._users[: self._n] = users
        self._user_ids = [self._user_ids[code] for code in codes]
        self._user_code = {user_id: code for code, user_id in enumerate(self._user_ids) if user_id}

    def _renumber_contexts(self) -> None:
        """Only sets that an event here has keep a number, and none at all its 0. Into new arrays, for the views."""
        had = np.bincount(self._contexts[: self._n], minlength=len(self._features)) > 0
        had[0] = True
        self._contexts = (np.cumsum(had) - 1).astype(np.int32)[self._contexts]
        self._features = [self._features[code] for code in np.flatnonzero(had)]
        self._context_code = {features: code for code, features in enumerate(self._features)}


def _moved(column: npt.NDArray[T], size: int) -> npt.NDArray[T]:
    """A new array that begins with the column."""
    room = np.zeros(size, dtype=column.dtype)
    room[: len(column)] = column
    return room
