from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tiny import event, tiny_items
from tiny_rooms import MONDAY_MORNING, Rooms, asking

from app.domain import Event, ItemId, Seen, SeenWindow, SlateRequest
from app.filtering.eligibility import Eligibility
from app.filtering.masks import FilterMasks

pytestmark = pytest.mark.anyio


def eligibility(rooms: Rooms) -> Eligibility:
    return Eligibility(rooms.histories, rooms.catalogue, FilterMasks(rooms.catalogue), rooms.never)


async def left_out(rooms: Rooms, request: SlateRequest) -> set[str]:
    """Ids of the items that may not appear."""
    eligible = await eligibility(rooms).read(request)
    if eligible is None:
        return set()
    assert len(eligible) == rooms.catalogue.index.n_slots
    return {rooms.catalogue.item_at(slot).item_id for slot in range(len(eligible)) if not eligible[slot]}


async def test_without_anything_to_take_out_there_is_no_mask(rooms: Rooms) -> None:
    assert await eligibility(rooms).read(asking("stranger")) is None
    assert await eligibility(rooms).read(asking(exclude=frozenset({"nowhere"}))) is None


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


async def test_a_filter_leaves_what_it_holds_for_less_what_is_taken_out(rooms: Rooms) -> None:
    request = asking(filter="item_id in ('i1', 'i2')", exclude=frozenset({ItemId("i2")}))
    assert await left_out(rooms, request) == {item.item_id for item in tiny_items()} - {"i1"}
    assert await left_out(rooms, asking(filter="item_id = 'i2'")) == {item.item_id for item in tiny_items()} - {"i2"}


async def test_a_window_keeps_away_what_was_met_lately_in_the_ways_it_names(rooms: Rooms) -> None:
    def met(number: int, user: str, item_id: str, hours_ago: float, event_type: str) -> Event:
        at = MONDAY_MORNING - timedelta(hours=hours_ago)
        return replace(event(number, user, item_id), type=event_type, at=at)

    await rooms.histories.append(
        [met(1, "ada", "i1", 1, "view"), met(2, "ada", "i2", 1, "like"), met(3, "ada", "i3", 5, "view")]
    )
    told = [met(9, "", "i9", 5, "view"), met(10, "", "i10", 1, "view"), met(11, "", "i11", 1, "like")]

    async def away(**window: Any) -> set[str]:
        return await left_out(rooms, asking("ada", told, seen=SeenWindow(**window)))

    assert await away() == {"i1", "i2", "i3", "i9", "i10", "i11"}
    assert await away(within_s=7_200) == {"i1", "i2", "i10", "i11"}
    assert await away(types=frozenset({"view"})) == {"i1", "i3", "i9", "i10"}
    assert await away(within_s=7_200, types=frozenset({"view"})) == {"i1", "i10"}
    assert await away(within_s=60) == set()
