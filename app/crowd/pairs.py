"""Events in the order of the log to the pairs that `CoVisits` counts: each with the user's few likes before it."""

from collections import OrderedDict, deque
from collections.abc import Sequence

from app.domain import UserId

REACH = 5
"""Likes before it that an event is paired with. Past five, a session has most often turned to something else."""
MOST_USERS = 50_000
"""Users whose last likes are remembered, the one seen longest ago forgotten first: some 30 MB."""

Pairs = tuple[list[int], list[int], list[float]]


class PairMaker:
    """Remembers each user's last likes from one page of the log to the next."""

    def __init__(self, most_users: int = MOST_USERS) -> None:
        self._most_users = most_users
        self._recent: OrderedDict[UserId, deque[tuple[int, float]]] = OrderedDict()

    def pair(self, likes: Sequence[tuple[UserId, int, float]]) -> Pairs:
        """likes: user, item code and weight, oldest first. An item is never paired with itself."""
        ones: list[int] = []
        others: list[int] = []
        weights: list[float] = []
        for user_id, code, weight in likes:
            before = self._of(user_id)
            for lag, (other, other_weight) in enumerate(reversed(before), 1):
                if other != code:
                    ones.append(code)
                    others.append(other)
                    weights.append(min(weight, other_weight) / lag)
            if not before or before[-1][0] != code:  # the same item again, a rating after a view, moves nothing on
                before.append((code, weight))
        return ones, others, weights

    def last_of(self, user_id: UserId) -> list[int]:
        """Item codes of the user's last likes, newest last."""
        return [code for code, _ in self._recent.get(user_id, ())]

    def forget(self, user_id: UserId) -> None:
        self._recent.pop(user_id, None)

    def _of(self, user_id: UserId) -> deque[tuple[int, float]]:
        known = self._recent.get(user_id)
        if known is None:
            known = self._recent[user_id] = deque(maxlen=REACH)
            if len(self._recent) > self._most_users:
                self._recent.popitem(last=False)
        else:
            self._recent.move_to_end(user_id)
        return known
