import numpy as np
import pytest
from tiny import event
from tiny_rooms import FullEncoder, Rooms, asking

from app.domain import FloatArray, Rung, Source
from app.errors import Overloaded
from app.interests.intent import IntentReader
from app.interests.spoken import WORDS_SHARE

pytestmark = pytest.mark.anyio


class FullTexts:
    """Text vectors whose queue has no place left."""

    async def encode_words(self, _texts: list[str]) -> FloatArray:
        raise Overloaded("the queue is full")


def reader(rooms: Rooms, encoder: object = None, texts: object = None) -> IntentReader:
    return rooms.intents(rooms.profiles(encoder=encoder), texts)


LIKED = [event(0, "", "i3"), event(1, "", "i4")]


async def test_nothing_known_asks_for_what_is_popular(rooms: Rooms) -> None:
    intent = await reader(rooms).read(asking())
    assert (intent.interests.shape, intent.sources, intent.rung) == (
        (0, rooms.scorer.dim),
        (Source.POPULAR,),
        Rung.POPULAR,
    )
    assert (intent.n_learned, intent.encoded_at, intent.last_event_at_s) == (0, None, None)


async def test_a_history_gives_its_interests_and_the_time_of_its_last_event(rooms: Rooms) -> None:
    intent = await reader(rooms).read(asking(history=LIKED))
    assert (intent.interests.shape, intent.sources, intent.n_learned) == (
        (2, rooms.scorer.dim),
        (Source.INTERESTS,) * 2,
        2,
    )
    assert (intent.rung, intent.last_event_at_s) == (Rung.FRESH, int(LIKED[1].at.timestamp()))
    assert intent.encoded_at is not None


async def test_a_search_of_somebody_unknown_is_ordered_by_the_words_alone(rooms: Rooms) -> None:
    intent = await reader(rooms).read(asking(words="slow western"))
    assert np.array_equal(intent.taste.interests, intent.spoken.sought)
    said = intent.taste.interests[0].copy()
    said[rooms.scorer.shape.words] = 0
    assert not said.any()
    steered = await reader(rooms).read(asking(words="slow western", steer="robots"))
    assert np.array_equal(steered.taste.interests, steered.interests)


async def test_words_alone_are_one_row_of_what_they_say_and_what_behaviour_tells_of_it(rooms: Rooms) -> None:
    intent = await reader(rooms).read(asking(words="slow western"))
    assert (intent.sources, intent.rung, intent.n_learned) == ((Source.WORDS,), Rung.FRESH, 0)
    said = intent.interests[0, rooms.scorer.shape.words]
    assert np.linalg.norm(said) == pytest.approx(WORDS_SHARE * rooms.trained.words_scale, rel=1e-5)
    assert intent.interests[0, rooms.scorer.shape.behaviour].any(), (
        "what behaviour tells of the items that the words name"
    )


async def test_words_come_after_what_the_history_gave(rooms: Rooms) -> None:
    both = await reader(rooms).read(asking(history=LIKED, words="slow western"))
    history = await reader(rooms).read(asking(history=LIKED))
    assert both.sources == (Source.INTERESTS, Source.INTERESTS, Source.WORDS)
    assert np.array_equal(both.interests[:2], history.interests)


async def test_words_are_scored_on_the_scale_of_the_taste_they_stand_beside(rooms: Rooms) -> None:
    intent = await reader(rooms).read(asking(history=LIKED, words="slow western"))
    items = rooms.catalogue.index.gather(np.arange(60))[:, : rooms.scorer.dim]
    taste, words = (items @ intent.interests[:2].T).max(axis=1), items @ intent.interests[2]
    assert words.mean() == pytest.approx(taste.mean(), abs=0.1 * float(taste.std()))
    assert words.max() - words.mean() == pytest.approx(taste.max() - taste.mean(), rel=0.3)


async def test_words_that_could_not_be_read_are_told_of(rooms: Rooms) -> None:
    intent = await reader(rooms, texts=FullTexts()).read(asking(words="slow western"))
    assert (intent.sources, intent.rung, intent.degraded) == ((Source.POPULAR,), Rung.POPULAR, ("words_unread",))


async def test_words_are_served_where_the_history_could_not_be_read(rooms: Rooms) -> None:
    intent = await reader(rooms, encoder=FullEncoder()).read(asking(history=LIKED, words="slow western"))
    assert (intent.sources, intent.degraded) == ((Source.WORDS,), ("encoder_overloaded",))


async def test_unknown_items_are_handed_on(rooms: Rooms) -> None:
    intent = await reader(rooms).read(asking(history=[event(0, "", "nowhere")], words="slow"))
    assert intent.unknown_items == ("nowhere",)
