import pytest
from tiny import event, tiny_items
from tiny_rooms import Rooms, asking

from app.domain import ItemId, Seen
from app.filtering.eligibility import Eligibility

pytestmark = pytest.mark.anyio


async def left_out(rooms: Rooms, request) -> set[str]:
    """Ids of the items that may not appear."""
    eligible = await Eligibility(rooms.histories, rooms.catalogue).read(request)
    if eligible is None:
        return set()
    assert len(eligible) == rooms.catalogue.index.n_slots
    return {rooms.catalogue.item_at(slot).item_id for slot in range(len(eligible)) if not eligible[slot]}


async def test_without_anything_to_take_out_there_is_no_mask(rooms: Rooms) -> None:
    assert await Eligibility(rooms.histories, rooms.catalogue).read(asking("stranger")) is None
    assert await Eligibility(rooms.histories, rooms.catalogue).read(asking(exclude=frozenset({"nowhere"}))) is None


async def test_what_is_excluded_stored_and_told_is_taken_out(rooms: Rooms) -> None:
    await rooms.histories.append([event(1, "ada", "i3"), event(2, "bob", "i4")])
    request = asking("ada", history=[event(9, "", "i9")], exclude=frozenset({ItemId("i20")}))
    assert await left_out(rooms, request) == {"i3", "i9", "i20"}


async def test_what_may_be_seen_again_is_left_in(rooms: Rooms) -> None:
    await rooms.histories.append([event(1, "ada", "i3")])
    request = asking("ada", history=[event(9, "", "i9")], exclude=frozenset({ItemId("i20")}), seen=Seen.ALWAYS)
    assert await left_out(rooms, request) == {"i20"}


async def test_everything_may_be_taken_out(rooms: Rooms) -> None:
    everything = frozenset(item.item_id for item in tiny_items())
    assert await left_out(rooms, asking(exclude=everything)) == everything


async def test_what_was_refused_never_comes_again(rooms: Rooms) -> None:
    await rooms.histories.append([event(1, "ada", "i3", "hide"), event(2, "ada", "i4")])
    request = asking("ada", history=[event(9, "", "i9", "dislike"), event(8, "", "i8")], seen=Seen.ALWAYS)
    assert await left_out(rooms, request) == {"i3", "i9"}
