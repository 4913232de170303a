import numpy as np
import pytest
from tiny import event
from tiny_rooms import Rooms, asking

from app.domain import EditOperation, FloatArray, InterestChange, SlateRequest, Source, UserId
from app.errors import Overloaded

pytestmark = pytest.mark.anyio

ADA = UserId("ada")
LIKED = [event(0, "ada", "i3"), event(1, "ada", "i4")]


class FullTexts:
    """Text vectors whose queue has no place left."""

    dim = 32

    async def encode_words(self, _texts: list[str]) -> FloatArray:
        raise Overloaded("the queue is full")

    def place_words(self, said: FloatArray) -> FloatArray:
        return np.zeros((len(said), 56), dtype=np.float32)


async def scores(rooms: Rooms, request: SlateRequest) -> FloatArray:
    """(60,) of the tiny catalogue, with an open gate and no prior."""
    intent = await rooms.intents().read(request)
    items = rooms.catalogue.index.gather(np.arange(60))[:, : rooms.scorer.dim]
    return (items @ intent.interests.T).max(axis=1)


def share(rooms: Rooms, found: FloatArray, genre: str) -> float:
    """Of the genre's items, how many the average item scores less than."""
    of_genre = np.array([genre in item.categories for item in rooms.trained.items])
    return float(found[of_genre].mean() - found.mean()) / float(found.std())


async def test_a_sentence_pulls_towards_what_it_names_and_buries_what_it_refuses(rooms: Rooms) -> None:
    await rooms.histories.append(LIKED)
    wanted = await scores(rooms, asking(words="western"))
    plain, towards, away = [
        np.corrcoef(await scores(rooms, asking("ada", steer=steer)), wanted)[0, 1]
        for steer in ("", "western", "no western")
    ]
    assert away < plain < towards


async def test_the_weight_goes_from_nothing_to_everything(rooms: Rooms) -> None:
    await rooms.histories.append(LIKED)

    async def at(weight: float) -> float:
        return share(rooms, await scores(rooms, asking("ada", steer="western", steer_weight=weight)), "western")

    assert np.array_equal(
        await scores(rooms, asking("ada", steer="western", steer_weight=0.0)), await scores(rooms, asking("ada"))
    )
    shares = [await at(weight) for weight in (0.0, 0.3, 0.6, 1.0)]
    assert shares == sorted(shares)
    alone = await scores(rooms, asking(steer="western"))
    assert np.corrcoef(await scores(rooms, asking("ada", steer="western", steer_weight=1.0)), alone)[0, 1] > 0.999


async def test_edits_move_the_very_next_reading_though_the_vectors_are_cached(rooms: Rooms) -> None:
    await rooms.histories.append(LIKED)
    intents = rooms.intents()
    fresh = await intents.read(asking("ada"))
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.LESS, "space")])
    less = await intents.read(asking("ada"))
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.RESET, "space")])
    reset = await intents.read(asking("ada"))
    assert (fresh.rung, less.rung, reset.rung) == ("fresh", "cached", "cached")
    assert not np.allclose(less.interests, fresh.interests)
    assert np.array_equal(reset.interests, fresh.interests)


async def test_more_and_less_of_the_same_are_opposite_steps(rooms: Rooms) -> None:
    await rooms.histories.append(LIKED)
    plain = (await rooms.intents().read(asking("ada"))).interests
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.MORE, "western")])
    more = (await rooms.intents().read(asking("ada"))).interests
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.LESS, "western")])
    less = (await rooms.intents().read(asking("ada"))).interests
    assert np.allclose(more - plain, plain - less, atol=1e-4)
    assert np.abs(more - plain).max() > 0.01


async def test_a_stranger_who_said_things_is_served_by_them(rooms: Rooms) -> None:
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.MORE, "western")])
    intent = await rooms.intents().read(asking("ada"))
    assert (intent.sources, intent.rung, intent.n_learned) == ((Source.WORDS,), "fresh", 0)
    assert np.linalg.norm(intent.interests[0]) == pytest.approx(rooms.trained.words_scale, rel=1e-5)


async def test_a_wish_that_refuses_something_buries_it(rooms: Rooms) -> None:
    plain, refusing, red = [await scores(rooms, asking(words=words)) for words in ("western", "western, no red", "red")]
    assert np.corrcoef(refusing, red)[0, 1] < np.corrcoef(plain, red)[0, 1]


async def test_words_that_only_refuse_are_taken_as_a_title(rooms: Rooms) -> None:
    """ "No red western" finds red westerns as a search for that title would."""
    assert share(rooms, await scores(rooms, asking(words="no western")), "western") > 0


async def test_what_could_not_be_read_is_named_and_the_taste_stands(rooms: Rooms) -> None:
    await rooms.histories.append(LIKED)
    plain = await rooms.intents().read(asking("ada"))
    both = asking("ada", words="slow", steer="western")
    intent = await rooms.intents(texts=FullTexts()).read(both)
    assert intent.degraded == ("words_unread", "steer_unread")
    assert np.array_equal(intent.interests, plain.interests)


async def test_edits_of_another_bundle_that_nobody_has_time_for_are_named(rooms: Rooms) -> None:
    await rooms.histories.append(LIKED)
    plain = await rooms.intents().read(asking("ada"))
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.LESS, "space")])
    rooms.editor._version = "another"
    rooms.editor._texts = FullTexts()  # type: ignore[assignment]
    intent = await rooms.intents().read(asking("ada"))
    assert intent.degraded == ("edits_unread",)
    assert np.allclose(intent.interests, plain.interests)


async def test_a_sentence_that_says_nothing_steers_nowhere(rooms: Rooms) -> None:
    await rooms.histories.append(LIKED)
    assert (await rooms.intents().read(asking("ada", steer="no, less"))).spoken.steering is None
