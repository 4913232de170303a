import numpy as np
import pytest
from tiny import event
from tiny_rooms import Rooms, asking

from app.domain import Item, ItemId, Source
from app.explanation.space_map import Cartographer, fit_projection

WATCHED = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33])]


def cartographer(rooms: Rooms) -> Cartographer:
    phrasebook = rooms.phrasebook()
    intents = rooms.intents()
    return Cartographer(rooms.version, rooms.trained, rooms.catalogue, intents, phrasebook)


def test_the_axes_are_the_directions_of_most_variance() -> None:
    """Four points: 6 apart along the third dimension, 2 along the first, none along the second."""
    points = np.array([[1, 7, 3], [-1, 7, 3], [1, 7, -3], [-1, 7, -3]], dtype=np.float32)

    projection = fit_projection(points)

    assert projection.axes == pytest.approx(np.array([[0, 0, 1], [1, 0, 0]]), abs=1e-6)
    assert projection.share == pytest.approx((9 / (9 + 1), 1 / (9 + 1)))
    assert projection.place(points) == pytest.approx(np.array([[3, 1], [3, -1], [-3, 1], [-3, -1]]), abs=1e-5)


def test_a_direction_is_drawn_at_the_length_of_an_average_item() -> None:
    points = np.array([[3, 0], [-3, 0], [0, 1], [0, -1]], dtype=np.float32)  # mean length (3 + 3 + 1 + 1) / 4

    assert fit_projection(points).place_directions(np.array([[0, 50]], dtype=np.float32)) == pytest.approx(
        np.array([[0, 2]]), abs=1e-5
    )


@pytest.mark.parametrize("points", [[[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]] * 4, [[0.0, 0.0, 0.0]]])
def test_points_that_do_not_vary_are_all_in_one_place(points: list[list[float]]) -> None:
    vectors = np.array(points, dtype=np.float32)

    projection = fit_projection(vectors)

    assert projection.share == (0.0, 0.0)
    assert projection.place(vectors) == pytest.approx(np.zeros((len(points), 2)))


@pytest.mark.anyio
async def test_every_item_that_may_be_shown_has_a_place_and_one_written_since_has_too(rooms: Rooms) -> None:
    await rooms.catalogue.delete(ItemId("i0"))
    await rooms.catalogue.put(Item(ItemId("new"), "bright space robots film", ("space",)))

    drawn = await cartographer(rooms).draw(asking(), 1_000)

    ids = [place.item.item_id for place in drawn.items]
    assert sorted(ids) == sorted([*(f"i{row}" for row in range(1, 60)), "new"])
    assert ids[-1] == "new"
    assert drawn.n_items == 60
    assert drawn.interests == ()


@pytest.mark.anyio
async def test_a_short_map_holds_the_items_with_most_events(rooms: Rooms) -> None:
    drawn = await cartographer(rooms).draw(asking(), 3)

    events = rooms.trained.n_events
    shown = [events[int(place.item.item_id[1:])] for place in drawn.items]
    assert shown == sorted(events, reverse=True)[:3]


@pytest.mark.anyio
async def test_interests_and_words_are_on_it_with_what_they_ask_for_most(rooms: Rooms) -> None:
    drawn = await cartographer(rooms).draw(asking(history=WATCHED, words="quiet space film"), 1_000)

    sources = [interest.source for interest in drawn.interests]
    assert sources == [Source.INTERESTS] * rooms.trained.space.shape.interests + [Source.WORDS]
    spoken = drawn.interests[-1]
    assert spoken.label == "quiet space film"
    assert "i2" in spoken.nearest
    assert all(len(set(interest.nearest)) == 5 for interest in drawn.interests)


@pytest.mark.anyio
async def test_the_same_map_comes_twice(rooms: Rooms) -> None:
    maps = cartographer(rooms)

    assert await maps.draw(asking(words="crime"), 50) == await maps.draw(asking(words="crime"), 50)
