"""What others liked soon before or after what this user liked last, counted from events up to a moment ago."""

from app.crowd.crowd import Crowd
from app.domain import IntArray, ItemId, SlateRequest, Source
from app.history.worth import weigh
from app.retrieval.sources.base import Ask


class CovisitedSource:
    name = Source.COVISITED

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    async def propose(self, ask: Ask, n: int) -> IntArray:
        slots, _ = self._crowd.covisited(last_likes(ask.request, self._crowd))
        return ask.first(slots, n)


def last_likes(request: SlateRequest, crowd: Crowd) -> list[ItemId]:
    """Items that whoever asks has liked last, as far as the crowd remembers and the request tells, newest last."""
    stored = [] if request.user_id is None else crowd.last_likes(request.user_id)
    told = [event.item_id for event in request.history if weigh(event) > 0]
    return list(dict.fromkeys(stored + told))
