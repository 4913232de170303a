from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tiny_rooms import Rooms

from app.domain import Rung, ServedBy, Slate, SlateRequest, UserId
from app.errors import Overloaded
from app.rollout.warming import MOST_TURNS, warm_paths

pytestmark = pytest.mark.anyio

SERVED = ServedBy("bundle-1", Rung.FRESH, 0.0, (), {})


class Answering:
    """Keeps what it is asked. degraded: how many of its answers are, the first ones."""

    def __init__(self, degraded: int = 0, error: Exception | None = None) -> None:
        self.asked: list[SlateRequest] = []
        self._degraded = degraded
        self._error = error

    async def recommend(self, request: SlateRequest) -> Slate:
        self.asked.append(request)
        if self._error is not None:
            raise self._error
        late = len(self.asked) <= self._degraded
        return Slate("slate-1", (), replace(SERVED, degraded=("encoder_overloaded",) if late else ()), None)


async def warm(answering: Answering, rooms: Rooms, *users: str) -> int:
    known = [UserId(user) for user in users]
    return await warm_paths(answering.recommend, rooms.catalogue, known, history_events=20)


async def test_every_kind_of_request_is_answered_and_none_is_remembered(rooms: Rooms) -> None:
    answering = Answering()
    assert await warm(answering, rooms, "ada") == 1
    asked = answering.asked
    assert {len(request.history) for request in asked} == {0, 1, 2, 4, 8, 16, 20}
    assert [request.user_id for request in asked if request.user_id] == ["ada"]
    everything = asked[-1]
    assert all((everything.words, everything.steer, everything.filter, everything.explain, everything.diversity))
    assert all(request.unseen for request in asked)


async def test_a_degraded_answer_is_asked_for_again_with_all_others(rooms: Rooms) -> None:
    answering = Answering(degraded=1)
    assert await warm(answering, rooms) == 2
    half = len(answering.asked) // 2
    assert answering.asked[:half] == answering.asked[half:]


async def test_what_stays_degraded_is_logged_and_holds_nothing_up(rooms: Rooms) -> None:
    with capture_logs() as logs:
        assert await warm(Answering(degraded=1_000), rooms) == MOST_TURNS
    assert logs == [{"event": "warming_degraded", "degraded": ["encoder_overloaded"], "log_level": "warning"}]


async def test_a_refusal_is_logged_and_ends_it(rooms: Rooms) -> None:
    answering = Answering(error=Overloaded("too much"))
    with capture_logs() as logs:
        assert await warm(answering, rooms) == 1
    assert [entry["event"] for entry in logs] == ["warming_refused"]
    assert len(answering.asked) == 1


async def test_an_empty_catalogue_is_warmed_without_histories(rooms: Rooms) -> None:
    for item in list(rooms.catalogue.items()):
        await rooms.catalogue.delete(item.item_id)
    answering = Answering()
    await warm(answering, rooms)
    assert all(not request.history for request in answering.asked)
    assert answering.asked[-1].words
