import numpy as np
import pytest
from tiny_rooms import MONDAY_MORNING, Rooms, asking

from app.domain import PART_NAMES, Candidates, Context, Item, ItemId, Scores
from app.errors import PlacementRefused, UnknownPlacement
from app.filtering.masks import FilterMasks
from app.placements.check import PlacementCheck
from app.placements.composer import Composer
from app.placements.live import LivePlacements
from app.placements.placement import CategoryCap, Pin, Placement, Sponsorship
from app.placements.store import PlacementStore
from app.placements.surface import NO_PLACEMENT, Surfaces, knobs_of, rules_of
from app.reranking.compose import Composed, Knobs
from app.reranking.rules import PINNED, SPONSORED

pytestmark = pytest.mark.anyio

CHECK_SOURCES = ("interests", "fresh")


@pytest.fixture
async def placements(rooms: Rooms) -> LivePlacements:
    return LivePlacements(PlacementStore(rooms.database), PlacementCheck(CHECK_SOURCES, rooms.catalogue))


async def test_a_request_takes_from_its_placement_what_it_leaves_open(placements: LivePlacements) -> None:
    await placements.put(Placement("home", k=7, knobs=Knobs(0.4, 0.2, 0.1)))
    surfaces = Surfaces(placements)
    request, placement = await surfaces.read(asking(k=0, placement="home", novelty=0.0))
    assert (request.k, request.context.features) == (7, {"placement": "home"})
    assert knobs_of(request, placement) == Knobs(0.4, 0.0, 0.1)
    assert (await surfaces.read(asking(k=3, placement="home")))[0].k == 3
    own = Context(MONDAY_MORNING, {"placement": "theirs"})
    assert (await surfaces.read(asking(placement="home", context=own)))[0].context == own


async def test_without_a_placement_there_are_the_defaults_and_an_unknown_one_is_refused(
    placements: LivePlacements,
) -> None:
    request, placement = await Surfaces(placements).read(asking(k=0))
    assert (request.k, placement, knobs_of(request, placement)) == (20, NO_PLACEMENT, Knobs())
    with pytest.raises(UnknownPlacement, match="hmoe"):
        await Surfaces(placements).read(asking(placement="hmoe"))


@pytest.mark.parametrize(
    ("placement", "said"),
    [
        (Placement("home", sources={"interest": 5}), "no source 'interest'; there are fresh, interests"),
        (Placement("home", pins=(Pin(ItemId("i999"), 1),)), "no item 'i999'"),
    ],
)
async def test_a_placement_that_names_what_is_not_there_is_refused(
    placements: LivePlacements, placement: Placement, said: str
) -> None:
    with pytest.raises(PlacementRefused, match=said):
        await placements.put(placement)
    assert await placements.all() == []


async def composed(rooms: Rooms, placement: Placement, k: int, slots: list[int], first_position: int = 1) -> Composed:
    total = np.linspace(1, 0, len(slots)).astype(np.float32)
    scores = Scores(total, np.zeros((len(slots), len(PART_NAMES)), np.float32), np.zeros(len(slots), np.int64))
    candidates = Candidates(np.array(slots), (("interests",),) * len(slots))
    composer = Composer(
        rooms.catalogue, FilterMasks(rooms.catalogue), rooms.trained.space.shape, np.random.default_rng(0)
    )
    return await composer.compose(asking(k=k), placement, candidates, scores, first_position)


async def test_pins_and_caps_hold_in_a_slate_and_say_so(rooms: Rooms) -> None:
    """Slots 0 to 9 are space, 10 to 19 crime, 20 to 29 romance."""
    placement = Placement("home", pins=(Pin(ItemId("i25"), 2), Pin(ItemId("i50"), 3)), caps=(CategoryCap("space", 2),))
    slate = await composed(rooms, placement, 6, list(range(30)))
    assert slate.chosen.tolist() == [0, 25, 1, 10, 11, 12]  # i50 is no candidate: its place goes to another
    assert slate.rules == ((), (PINNED,), (), (), (), ())


async def test_a_pin_past_the_first_page_stands_on_the_page_of_its_position(rooms: Rooms) -> None:
    placement = Placement("home", pins=(Pin(ItemId("i8"), 5), Pin(ItemId("i9"), 1)))
    assert (await composed(rooms, placement, 3, list(range(10)))).chosen.tolist() == [9, 0, 1]
    assert (await composed(rooms, placement, 3, list(range(9)), first_position=4)).chosen.tolist() == [0, 8, 1]


async def test_an_item_pinned_twice_stands_at_the_higher_place(rooms: Rooms) -> None:
    slate = await composed(
        rooms, Placement("home", pins=(Pin(ItemId("i5"), 3), Pin(ItemId("i5"), 1))), 3, list(range(9))
    )
    assert slate.chosen.tolist() == [5, 0, 1]


async def test_every_category_may_be_capped_at_once(rooms: Rooms) -> None:
    slate = await composed(rooms, Placement("home", max_per_category=1), 10, list(range(30)))
    assert slate.chosen.tolist() == [0, 10, 20]
    tighter = Placement("home", max_per_category=3, caps=(CategoryCap("crime", 1), CategoryCap("space", 9)))
    assert (await composed(rooms, tighter, 10, list(range(30)))).chosen.tolist() == [0, 1, 2, 10, 20, 21, 22]


async def test_sponsored_items_are_labelled_and_stand_where_they_may(rooms: Rooms) -> None:
    ad = Item(ItemId("i29"), rooms.catalogue.item_at(29).title, ("romance",), properties={"sponsored": True})
    await rooms.catalogue.put(ad)
    placement = Placement("home", sponsored=Sponsorship(0.25, "Paid for"))
    slate = await composed(rooms, placement, 4, list(range(30)))
    assert slate.chosen.tolist() == [0, 1, 29, 2]
    assert [placement.label_of(rules) for rules in slate.rules] == ["", "", "Paid for", ""]
    assert slate.rules[2] == (SPONSORED,)


async def test_a_long_slate_is_composed_beside_the_event_loop_and_is_the_same(rooms: Rooms) -> None:
    placement = Placement("home", knobs=Knobs(diversity=0.5))
    many = list(range(60)) * 20
    longest = await composed(rooms, placement, 50, many)
    assert longest.chosen.tolist()[:5] == (await composed(rooms, placement, 5, many)).chosen.tolist()


async def test_a_placement_without_rules_looks_at_no_item(rooms: Rooms) -> None:
    def never(slot: int) -> Item:
        raise AssertionError(slot)

    rules = rules_of(NO_PLACEMENT, range(1, 6), np.arange(10), None, never, rooms.catalogue.find_slot)
    assert (rules.pinned, rules.caps, rules.sponsored) == ({}, (), None)
