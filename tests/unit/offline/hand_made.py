"""Data sets small enough to redo by hand: items "a" to "h" are rows 0 to 7."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain import Item, ItemId
from app.offline.dataset import Dataset
from app.offline.split import Protocol, Split

ITEMS = "abcdefgh"


def dataset_of(
    histories: Mapping[str, Sequence[tuple[str, int] | tuple[str, int, float]]],
    items: str = ITEMS,
    *,
    has_times: bool = True,
) -> Dataset:
    """histories: user -> (item, second) or (item, second, weight), oldest first. Positions follow the reading order."""
    events = [(user, *event) for user, history in enumerate(histories.values()) for event in history]
    return Dataset(
        name="hand made",
        digest="",
        items=tuple(Item(ItemId(name), f"Item {name}") for name in items),
        user_ids=tuple(histories),
        users=np.array([event[0] for event in events], dtype=np.int64),
        rows=np.array([items.index(event[1]) for event in events], dtype=np.int64),
        at_s=np.array([event[2] for event in events], dtype=np.int64),
        weights=np.array([event[3] if len(event) > 3 else 1.0 for event in events], dtype=np.float32),
        context={},
        has_times=has_times,
    )


def split_of(dataset: Dataset, test: Sequence[int], validation: Sequence[int] = ()) -> Split:
    """Everything but the named positions is trained on."""
    train = np.ones(len(dataset.rows), dtype=np.bool_)
    train[[*test, *validation]] = False
    return Split(Protocol.LEAVE_ONE_OUT, train, np.array(validation, dtype=np.int64), np.array(test, dtype=np.int64))


class FixedScores:
    """A ranker that answers every question with the same scores."""

    name = "fixed"

    def __init__(self, *scores: float) -> None:
        self.row = np.array(scores, dtype=np.float32)

    def scores(self, questions: np.ndarray) -> np.ndarray:
        return np.tile(self.row, (len(questions), 1))
