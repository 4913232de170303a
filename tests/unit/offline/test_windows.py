import numpy as np
import pytest
from hand_made import dataset_of, split_of
from hypothesis import given
from hypothesis import strategies as st

from app.offline.dataset import Dataset
from app.offline.windows import NOBODY, Histories, batches, draw_windows
from models.events import NO_GAP

#                           position 0         1          2              3          4
DATA = dataset_of({"ann": [("c", 0), ("a", 60), ("b", 3_660, -1.0)], "bob": [("h", 100), ("a", 160)]})
TEXT = np.arange(16, dtype=np.float32).reshape(8, 2)


def histories(dataset: Dataset = DATA, *, has_times: bool = True) -> Histories:
    codes = np.arange(len(dataset.rows))[:, None] % 2
    return Histories(dataset, TEXT, codes, has_times=has_times)


def test_positions_become_events_padded_at_the_end() -> None:
    batch = histories().events(np.array([[0, 1, 2], [3, NOBODY, NOBODY]]))
    assert batch.rows.tolist() == [[3, 1, 2], [8, 0, 0]]  # item rows 2, 0, 1 and 7, from 1 on
    assert batch.lengths.tolist() == [3, 1]
    assert batch.text[0].tolist() == TEXT[[2, 0, 1]].tolist()
    assert batch.text[1].tolist() == [TEXT[7].tolist(), [0, 0], [0, 0]]
    assert batch.weights.tolist()[0] == [7, 7, 0]
    assert batch.gaps.tolist() == [[NO_GAP, 8, 16], [NO_GAP, 0, 0]]  # 2 ln 61, 2 ln 3601
    assert batch.at_s.tolist() == [[0, 60, 3_660], [100, 100, 100]]


def test_context_of_an_event_is_as_it_was_when_it_was_still_to_come() -> None:
    batch = histories().contexts(np.array([1, 3]), np.array([0, NOBODY]))
    assert batch.gaps.tolist() == [8, NO_GAP]
    assert batch.features.tolist() == [[1], [1]]


def test_before_a_question_stand_the_users_own_last_events() -> None:
    before = histories().before(np.array([1, 2, 4]), length=2)
    assert before.tolist() == [[0, NOBODY], [0, 1], [3, NOBODY]]


def test_a_long_past_is_cut_to_its_end() -> None:
    data = dataset_of({"ann": [("a", second) for second in range(9)]})
    assert histories(data).before(np.array([8]), length=3).tolist() == [[5, 6, 7]]


def windows_of(lengths: list[int], held_out: int, length: int, seed: int) -> tuple[Dataset, np.ndarray, np.ndarray]:
    data = dataset_of({f"u{n}": [("a", second) for second in range(count)] for n, count in enumerate(lengths)})
    ends = data.starts[1:]
    test = [
        int(end) - 1 - back for end, count in zip(ends, lengths, strict=True) for back in range(min(held_out, count))
    ]
    train = split_of(data, test).train
    return data, train, draw_windows(data, train, length, np.random.default_rng(seed))


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6),
    st.integers(0, 2),
    st.integers(1, 12),
    st.integers(0, 2**32),
)
def test_every_training_event_but_each_users_first_is_a_target_exactly_once(
    lengths: list[int], held_out: int, length: int, seed: int
) -> None:
    lengths = [*lengths, 5]
    data, train, windows = windows_of(lengths, held_out, length, seed)
    targets = windows[:, 1:][windows[:, 1:] != NOBODY]
    learned = np.flatnonzero(train)
    firsts = {int(learned[data.users[learned] == user][0]) for user in np.unique(data.users[learned])}
    assert sorted(targets.tolist()) == [position for position in learned.tolist() if position not in firsts]


@given(st.lists(st.integers(2, 30), min_size=1, max_size=6), st.integers(1, 12), st.integers(0, 2**32))
def test_a_window_is_a_stretch_of_one_user_padded_at_the_end(lengths: list[int], length: int, seed: int) -> None:
    data, _, windows = windows_of(lengths, 0, length, seed)
    assert windows.shape[1] == length + 1
    for window in windows:
        real = window[window != NOBODY]
        assert (window[: len(real)] == real).all()
        assert len(real) >= 2
        assert (np.diff(real) == 1).all()
        assert len(np.unique(data.users[real])) == 1


def test_the_same_seed_cuts_alike_and_another_otherwise() -> None:
    cuts = [windows_of([30, 30, 30], 0, 7, seed)[2].tolist() for seed in (1, 1, 2)]
    assert cuts[0] == cuts[1] != cuts[2]


@given(st.lists(st.integers(2, 30), min_size=1, max_size=40), st.integers(1, 90), st.integers(0, 2**32))
def test_batches_hold_every_window_once_within_their_size(lengths: list[int], tokens: int, seed: int) -> None:
    """A batch reads all but the last event of each window; only a window that is longer by itself may go past."""
    width = max(lengths)
    firsts = np.cumsum([0, *lengths[:-1]])
    windows = np.full((len(lengths), width), NOBODY)
    for place, (first, length) in enumerate(zip(firsts, lengths, strict=True)):
        windows[place, :length] = first + np.arange(length)
    parts = batches(windows, tokens, np.random.default_rng(seed))
    told = sorted(tuple(row[row != NOBODY]) for part in parts for row in part)
    assert told == sorted(tuple(row[row != NOBODY]) for row in windows)
    assert all(len(part) == 1 or len(part) * (part.shape[1] - 1) <= tokens for part in parts)
    assert all((part != NOBODY).any(axis=0).all() for part in parts)


@pytest.mark.parametrize("has_times", [True, False])
def test_a_source_without_a_clock_is_read_without_one(has_times: bool) -> None:
    batch = histories(has_times=has_times).events(np.array([[0, 1]]))
    assert (batch.gaps[0, 1].item() == NO_GAP) != has_times
