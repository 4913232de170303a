from pathlib import Path

import pytest
import torch
from tiny import random_events, random_space

from models.stepping import interests_of, read_state, step


@pytest.fixture(params=["bert_folder", "llama_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    """A model that reads both ways, and one that is causal already."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("has_times", [True, False])
def test_a_state_grown_event_by_event_gives_what_the_whole_history_gives(folder: Path, has_times: bool) -> None:
    space, events = random_space(folder, has_times=has_times), random_events([9], has_times=has_times)
    state = read_state(space, events.part(0, 2))
    for place in range(2, 9):
        state = step(space, state, events.part(place, place + 1))
        whole = events.part(0, place + 1)
        with torch.inference_mode():
            expected = space.interests(whole)
        assert len(state) == place + 1
        assert torch.allclose(interests_of(space, state), expected, rtol=1e-4, atol=1e-4)


def test_a_state_read_at_once_is_the_one_that_was_grown(folder: Path) -> None:
    space, events = random_space(folder), random_events([6])
    grown = read_state(space, events.part(0, 1))
    for place in range(1, 6):
        grown = step(space, grown, events.part(place, place + 1))
    at_once = read_state(space, events)
    assert torch.allclose(grown.text_state, at_once.text_state, rtol=1e-4, atol=1e-4)
    assert torch.allclose(grown.id_state, at_once.id_state, rtol=1e-4, atol=1e-4)
