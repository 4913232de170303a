import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.context_gate import ContextBatch, ContextGate, context_batch
from models.events import NO_GAP, NO_HOUR, NO_WEEKDAY

MONDAY_AT_THREE = 1_704_067_200 + 3 * 3_600
TABLES = arrays.arrays(np.float32, 3, elements=st.floats(-1e6, 1e6, width=32))


def contexts(at_s: list[int], gap_s: list[int], codes: list[list[int]], *, has_times: bool = True) -> ContextBatch:
    return context_batch(np.array(at_s), np.array(gap_s), np.array(codes), has_times=has_times)


def test_a_context_is_its_hour_weekday_and_gap() -> None:
    batch = contexts([MONDAY_AT_THREE] * 2, [60, -1], [[1], [0]])
    assert (batch.hours.tolist(), batch.weekdays.tolist(), batch.gaps.tolist()) == ([3, 3], [0, 0], [8, NO_GAP])
    assert batch.features.tolist() == [[1], [0]]


def test_without_a_clock_a_context_is_its_features_alone() -> None:
    batch = contexts([MONDAY_AT_THREE], [60], [[1]], has_times=False)
    assert (batch.hours.item(), batch.weekdays.item(), batch.gaps.item()) == (NO_HOUR, NO_WEEKDAY, NO_GAP)


def test_a_fresh_gate_says_nothing() -> None:
    gate = ContextGate(5, feature_sizes=(3, 2))
    assert gate(contexts([MONDAY_AT_THREE, 0], [60, -1], [[1, 1], [0, 0]])).tolist() == [[1.0] * 5] * 2


@settings(deadline=None, max_examples=50)
@given(TABLES, st.integers(0, 2**32), st.integers(-1, 9**9))
def test_a_gate_neither_silences_nor_explodes_a_dimension(weights: np.ndarray, at_s: int, gap_s: int) -> None:
    gate = ContextGate(3, feature_sizes=())
    with torch.no_grad():
        for table in (gate.hour, gate.weekday, gate.gap):
            table.weight.copy_(torch.from_numpy(weights).expand_as(table.weight))
    opened = gate(contexts([at_s], [gap_s], [[]]))
    assert opened.min() >= 0
    assert opened.max() <= 2


@pytest.mark.parametrize("total", [-3.0, -0.1, 0.4, 3.0])
def test_a_gate_is_one_plus_the_tanh_of_what_its_tables_say(total: float) -> None:
    gate = ContextGate(1, feature_sizes=(2,))
    with torch.no_grad():
        gate.hour.weight[3] = total / 2
        gate.features[0].weight[1] = total / 2
    opened = gate(contexts([MONDAY_AT_THREE], [-1], [[1]])).item()
    assert opened == pytest.approx(1 + np.tanh(total), abs=1e-6)
    assert 0 < opened < 2


def test_a_feature_that_is_not_known_never_learns_to_say_anything() -> None:
    gate = ContextGate(2, feature_sizes=(3,))
    gate(contexts([0, 0], [-1, -1], [[0], [2]])).sum().backward()
    assert gate.features[0].weight.grad.tolist() == [[0, 0], [0, 0], [1, 1]]


def test_contexts_may_have_any_shape() -> None:
    at_s = np.zeros((2, 3), dtype=np.int64)
    batch = context_batch(at_s, at_s, np.zeros((2, 3, 1), dtype=np.int64), has_times=True)
    gate = ContextGate(4, feature_sizes=(2,))
    assert gate(batch).shape == gate.shift(batch).shape == (2, 3, 4)


def test_a_fresh_gate_asks_for_the_interests_themselves() -> None:
    interests = torch.arange(12.0).reshape(2, 3, 2)
    gate = ContextGate(2, feature_sizes=(3,))
    assert torch.equal(gate.ask(interests, contexts([0, 9], [-1, 60], [[1], [2]])), interests)


def test_a_query_is_the_interest_times_the_gate_plus_the_shift() -> None:
    """Of (2, 1) and (4, 1) with gates 1.5, 1 and a shift of -1, 3: (2, 4) and (5, 4); without the feature untouched."""
    gate = ContextGate(2, feature_sizes=(2,))
    with torch.no_grad():
        gate.features[0].weight[1, 0] = float(np.arctanh(0.5))
        gate.shifts[0].weight[1] = torch.tensor([-1.0, 3.0])
    interests = torch.tensor([[[2.0, 1.0], [4.0, 1.0]]])
    assert torch.allclose(gate.ask(interests, contexts([0], [-1], [[1]])), torch.tensor([[[2.0, 4.0], [5.0, 4.0]]]))
    assert torch.equal(gate.ask(interests, contexts([0], [-1], [[0]])), interests)


def test_without_declared_features_the_clock_shifts_nothing() -> None:
    gate = ContextGate(2, feature_sizes=())
    assert not list(gate.shifts.parameters())
    assert gate.shift(contexts([MONDAY_AT_THREE], [60], [[]])).tolist() == [[0.0, 0.0]]
