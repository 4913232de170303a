from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import reading

from app import telemetry
from app.interests.encoder import HistoryEncoder, Reading
from app.interests.states import MOST_STEPS, Digests, KeptStates
from app.trained import Trained
from models import stepping

CPU = torch.device("cpu")
ROOM = 2**20


def first(whole: Reading, n: int) -> Reading:
    return Reading(whole.text[:n], whole.rows[:n], whole.at_s[:n], whole.weights[:n])


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the states that were stepped on."""
    taken: list[int] = []

    def watched(space: object, state: stepping.UserState, event: object) -> stepping.UserState:
        taken.append(len(state))
        return stepping.step(space, state, event)  # type: ignore[arg-type]

    monkeypatch.setattr("app.interests.encoder.step", watched)
    return taken


def test_a_grown_history_is_stepped_and_gives_what_reading_it_anew_gives(
    tiny_trained: Trained, steps: list[int]
) -> None:
    kept, fresh = (HistoryEncoder(tiny_trained.space, CPU, states) for states in (KeptStates(ROOM), None))
    whole = reading(tiny_trained, 10)
    for n in (3, 4, 6, 10):
        (told,) = kept.encode([first(whole, n)])
        assert np.allclose(told, fresh.encode([first(whole, n)])[0], rtol=1e-4, atol=1e-4)
    assert steps == [3, 4, 5, 6, 7, 8, 9]


def test_how_histories_were_read_is_counted(tiny_trained: Trained) -> None:
    def counted() -> dict[str, float]:
        told = telemetry._metrics().histories_read
        return {how: told.labels(how)._value.get() for how in ("stepped", "alone", "together")}

    encoder, whole, before = (
        HistoryEncoder(tiny_trained.space, CPU, KeptStates(ROOM)),
        reading(tiny_trained, 5),
        counted(),
    )
    encoder.encode([first(whole, 4)])
    encoder.encode([whole, reading(tiny_trained, 3, seed=1), reading(tiny_trained, 4, seed=2)])
    assert {how: n - before[how] for how, n in counted().items()} == {"stepped": 1, "alone": 1, "together": 2}


def test_the_same_history_again_costs_no_step(tiny_trained: Trained, steps: list[int]) -> None:
    encoder, whole = HistoryEncoder(tiny_trained.space, CPU, KeptStates(ROOM)), reading(tiny_trained, 5)
    one, other = encoder.encode([whole])[0], encoder.encode([whole])[0]
    assert np.array_equal(one, other)
    assert steps == []


def test_in_a_batch_everybody_gets_their_own(tiny_trained: Trained, steps: list[int]) -> None:
    kept, fresh = (HistoryEncoder(tiny_trained.space, CPU, states) for states in (KeptStates(ROOM), None))
    histories = [reading(tiny_trained, n, seed=n) for n in (6, 12, 4, 7)]
    for known in (histories[0], histories[3]):
        kept.encode([first(known, len(known.rows) - 1)])
    for one, other in zip(kept.encode(histories), fresh.encode(histories), strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-4)
    assert sorted(steps) == [5, 6]


def test_a_user_asked_for_twice_in_a_batch_is_read_right_both_times(tiny_trained: Trained) -> None:
    encoder, whole = HistoryEncoder(tiny_trained.space, CPU, KeptStates(ROOM)), reading(tiny_trained, 6)
    encoder.encode([first(whole, 5)])
    one, other = encoder.encode([whole, whole])
    assert np.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("change", ["text", "rows", "at_s", "weights"])
def test_a_history_that_begins_otherwise_is_read_anew(change: str, tiny_trained: Trained, steps: list[int]) -> None:
    encoder, whole = HistoryEncoder(tiny_trained.space, CPU, KeptStates(ROOM)), reading(tiny_trained, 6)
    encoder.encode([first(whole, 5)])
    told = getattr(whole, change).copy()
    told[0] += 1
    other = replace(whole, **{change: told})
    (vectors,) = encoder.encode([other])
    assert steps == []
    assert np.allclose(vectors, HistoryEncoder(tiny_trained.space, CPU).encode([other])[0], rtol=1e-4, atol=1e-4)


def test_what_was_made_up_is_neither_stepped_nor_kept(tiny_trained: Trained, steps: list[int]) -> None:
    states = KeptStates(ROOM)
    encoder, whole = HistoryEncoder(tiny_trained.space, CPU, states), reading(tiny_trained, 6)
    encoder.encode([whole.without(2)])
    assert (len(states), steps) == (0, [])


def test_a_history_longer_than_the_encoder_reads_slides_and_is_read_anew(
    tiny_trained: Trained, steps: list[int]
) -> None:
    states = KeptStates(ROOM)
    encoder, whole = HistoryEncoder(tiny_trained.space, CPU, states), reading(tiny_trained, 14)
    for n in (12, 13, 14):
        told = encoder.encode([first(whole, n)])[0]
        assert np.allclose(told, HistoryEncoder(tiny_trained.space, CPU).encode([first(whole, n)])[0], atol=1e-4)
    assert (len(states), steps) == (1, [])


def test_the_store_stays_within_its_memory_and_drops_what_was_used_longest_ago(tiny_trained: Trained) -> None:
    histories = [reading(tiny_trained, 8, seed=seed) for seed in range(4)]
    probe = KeptStates(ROOM)
    HistoryEncoder(tiny_trained.space, CPU, probe).encode([histories[0]])
    states = KeptStates(int(probe.n_bytes * 2.5))
    encoder = HistoryEncoder(tiny_trained.space, CPU, states)
    for history in histories:
        encoder.encode([history])
        assert states.n_bytes <= probe.n_bytes * 2.5
    assert len(states) == 2
    assert states.take(digests(histories[0])) is None
    assert states.take(digests(histories[3])) is not None


def test_without_memory_nothing_is_kept(tiny_trained: Trained) -> None:
    states = KeptStates(0)
    HistoryEncoder(tiny_trained.space, CPU, states).encode([reading(tiny_trained, 3)])
    assert len(states) == 0


def test_an_erased_user_leaves_no_state(tiny_trained: Trained) -> None:
    states = KeptStates(ROOM)
    HistoryEncoder(tiny_trained.space, CPU, states).encode([reading(tiny_trained, 3)])
    states.forget("whoever")
    assert (len(states), states.n_bytes) == (0, 0)


def digests(of: Reading) -> Digests:
    return Digests(of.text, of.rows, of.at_s, of.weights)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(0, MOST_STEPS + 2), st.integers(0, 5))
def test_a_beginning_is_known_again_whatever_follows(n: int, more: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    total = n + more
    columns = (
        rng.normal(size=(total, 3)).astype(np.float32),
        rng.integers(0, 9, total),
        rng.integers(0, 9**9, total),
        rng.normal(size=total).astype(np.float32),
    )
    short, whole = Digests(*(column[:n] for column in columns)), Digests(*columns)
    assert (short.whole in whole.beginnings) == (more <= MOST_STEPS)
    assert len(set(whole.beginnings)) == len(whole.beginnings) <= MOST_STEPS + 1
