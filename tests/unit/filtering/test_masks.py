from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from tiny_rooms import MONDAY_MORNING, Rooms

from app.domain import Boost, Item, ItemId
from app.errors import InvalidFilter
from app.filtering.columns import Columns
from app.filtering.masks import FilterMasks

pytestmark = pytest.mark.anyio

NEW = Item(ItemId("new"), "loud robots story", ("space",), properties={"year": 2024})


async def ids(masks: FilterMasks, rooms: Rooms, text: str, now: Any = MONDAY_MORNING) -> set[str]:
    mask = await masks.mask(text, now)
    assert len(mask) == rooms.catalogue.index.n_slots
    alive = [slot for slot in np.flatnonzero(mask).tolist() if rooms.catalogue.index.is_alive(slot)]
    return {rooms.catalogue.item_at(slot).item_id for slot in alive}


async def test_a_repeated_filter_is_not_evaluated_again(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = FilterMasks(rooms.catalogue)
    first = await masks.mask('title contains "space"', MONDAY_MORNING)
    monkeypatch.setattr(Columns, "evaluate", None)
    assert await masks.mask('title contains "space"', MONDAY_MORNING) is first


async def test_what_was_kept_follows_every_change_of_the_catalogue(rooms: Rooms) -> None:
    masks = FilterMasks(rooms.catalogue)
    text = "year = 2024 or item_id = 'i1'"
    assert await ids(masks, rooms, text) == {"i1"}
    before = await masks.mask(text, MONDAY_MORNING)
    await rooms.catalogue.put(NEW)
    assert await ids(masks, rooms, text) == {"i1", "new"}
    await rooms.catalogue.put(replace(NEW, properties={"year": 1990}))
    assert await ids(masks, rooms, text) == {"i1"}
    await rooms.catalogue.put(replace(rooms.trained.items[2], properties={"year": 2024}))  # keeps its slot
    assert await ids(masks, rooms, text) == {"i1", "i2"}
    await rooms.catalogue.delete(ItemId("i2"))
    assert await ids(masks, rooms, text) == {"i1"}
    assert len(before) == 60
    assert before.sum() == 1


async def test_many_changes_are_answered_as_few_are(rooms: Rooms) -> None:
    masks = FilterMasks(rooms.catalogue)
    assert await ids(masks, rooms, "year = 2024") == set()
    for item in rooms.trained.items[:12]:
        await rooms.catalogue.put(replace(item, properties={"year": 2024}))
    assert await ids(masks, rooms, "year = 2024") == {f"i{n}" for n in range(12)}
    assert await ids(masks, rooms, "year >= 2024") == {f"i{n}" for n in range(12)}


async def test_changes_past_what_the_event_loop_may_ask_about_are_asked_about_elsewhere(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.filtering.masks.FEW", 2)
    monkeypatch.setattr("app.filtering.masks.REBUILD_SHARE", 1.0)
    masks = FilterMasks(rooms.catalogue)
    assert await ids(masks, rooms, "year = 2024") == set()
    for n in range(7):
        await rooms.catalogue.put(replace(NEW, item_id=ItemId(f"new{n}")))
    assert await ids(masks, rooms, "year = 2024") == {f"new{n}" for n in range(7)}
    assert await ids(masks, rooms, "year > 2023") == {f"new{n}" for n in range(7)}


async def test_time_goes_on_by_the_minute(rooms: Rooms) -> None:
    masks = FilterMasks(rooms.catalogue)
    bounds = {"available_from": "2024-06-03T10:05:00Z", "available_until": "2024-06-03T10:07:00Z"}
    await rooms.catalogue.put(replace(NEW, properties=bounds))
    shown = [
        "new" in await ids(masks, rooms, "available()", MONDAY_MORNING + timedelta(minutes=minutes))
        for minutes in (4, 4.99, 5, 6.5, 7)
    ]
    assert shown == [False, False, True, True, False]


async def test_names_that_no_item_has_are_told(rooms: Rooms) -> None:
    masks = FilterMasks(rooms.catalogue)
    await rooms.catalogue.put(NEW)
    assert await masks.unknown_names("yaer = 1 and year = 2 and title = 'x'") == ("yaer",)


async def test_a_filter_that_cannot_be_read_is_refused(rooms: Rooms) -> None:
    with pytest.raises(InvalidFilter):
        await FilterMasks(rooms.catalogue).mask("a =", MONDAY_MORNING)


async def test_a_boost_holds_where_its_filter_does(rooms: Rooms) -> None:
    boosts = [Boost("item_id in ('i1', 'i2')", factor=2), Boost("item_id = 'i2'", add=1)]
    rules = await FilterMasks(rooms.catalogue).rules(boosts, MONDAY_MORNING)
    assert np.flatnonzero(rules.masks.sum(axis=0)).tolist() == [1, 2]
    assert rules.masks[:, 2].tolist() == [True, True]
