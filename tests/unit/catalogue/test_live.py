import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_items
from tiny_rooms import Rooms, open_rooms

from app.catalogue.live import NO_ROW, LiveCatalogue
from app.catalogue.text import item_text
from app.domain import FloatArray, Item, ItemId
from app.errors import StoreUnavailable, UnknownItem

pytestmark = pytest.mark.anyio

ROBOTS = Item(ItemId("new"), "loud robots story", ("space",))


async def nearest(rooms: Rooms, text: str, n: int = 1) -> list[Item]:
    """The items whose text block is closest to `text`, behaviour and popularity left out."""
    query = np.zeros((1, rooms.catalogue.index.gather(np.array([0])).shape[1]), dtype=np.float32)
    query[:, : rooms.scorer.dim] = rooms.texts.place(await rooms.texts.encode([text]))
    return [rooms.catalogue.item_at(slot) for slot in rooms.catalogue.index.search(query, n)[0].tolist()]


def vector_of(rooms: Rooms, item_id: str) -> FloatArray:
    slot = rooms.catalogue.find_slot(ItemId(item_id))
    assert slot is not None
    return rooms.catalogue.index.gather(np.array([slot]))[0]


def served(catalogue: LiveCatalogue) -> set[str]:
    slots = range(catalogue.index.n_slots)
    return {catalogue.item_at(slot).item_id for slot in slots if catalogue.index.is_alive(slot)}


@pytest.fixture
async def two(tiny_bundle: Path, tmp_path: Path) -> AsyncIterator[tuple[Rooms, Rooms]]:
    """Two processes over one database."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(open_rooms(tiny_bundle, tmp_path))
        yield one, await stack.enter_async_context(open_rooms(tiny_bundle, tmp_path))


async def test_the_bundles_items_are_served_from_the_start(rooms: Rooms) -> None:
    assert rooms.catalogue.index.n_alive == rooms.catalogue.index.n_slots == 60
    assert await rooms.catalogue.get(ItemId("i7")) == tiny_items()[7]
    assert rooms.catalogue.find_slot(ItemId("i7")) == 7


async def test_a_bundles_item_has_the_vector_it_was_trained_with(rooms: Rooms) -> None:
    trained = rooms.trained
    assert np.array_equal(vector_of(rooms, "i7"), np.hstack([trained.vectors[7], trained.prior[7]]))


async def test_a_new_item_is_found_by_its_own_text(rooms: Rooms) -> None:
    assert await rooms.catalogue.put(ROBOTS)
    assert await nearest(rooms, item_text(ROBOTS)) == [ROBOTS]
    assert await rooms.catalogue.get(ROBOTS.item_id) == ROBOTS


async def test_a_new_item_is_its_text_and_the_behaviour_of_its_twin_and_less_popular_than_average(rooms: Rooms) -> None:
    await rooms.catalogue.put(ROBOTS)
    vector = vector_of(rooms, "new")
    shape = rooms.scorer.shape
    assert np.linalg.norm(vector[: shape.block_dim]) == pytest.approx(1.0, abs=1e-5)
    assert np.linalg.norm(vector[shape.words]) == pytest.approx(1.0, abs=1e-5)
    assert (rooms.trained.vectors[:, shape.behaviour] == vector[shape.behaviour]).all(axis=1).sum() == 1
    assert not rooms.catalogue.met_at(np.array([60])).any()
    assert (vector[shape.dim : -1] < 0).all()
    assert vector[-1] == 0, "no likes yet, no trend"
    assert rooms.catalogue.rows_at(np.array([60])).tolist() == [NO_ROW]


async def test_putting_again_replaces(rooms: Rooms) -> None:
    await rooms.catalogue.put(ROBOTS)
    western = Item(ROBOTS.item_id, "old western story")
    assert not await rooms.catalogue.put(western)
    assert await nearest(rooms, "old western story") == [western]
    assert rooms.catalogue.index.n_alive == 61


async def test_changed_text_moves_the_text_block_and_keeps_behaviour_and_popularity(rooms: Rooms) -> None:
    before = vector_of(rooms, "i7")
    changed = Item(ItemId("i7"), "something for robots")
    assert not await rooms.catalogue.put(changed)
    after = vector_of(rooms, "i7")
    assert await nearest(rooms, "something for robots") == [changed]
    assert not np.allclose(after[rooms.scorer.shape.texts], before[rooms.scorer.shape.texts], atol=1e-2)
    assert np.array_equal(after[rooms.scorer.shape.behaviour.start :], before[rooms.scorer.shape.behaviour.start :])
    assert np.abs(before[rooms.scorer.shape.behaviour]).max() > 0
    assert rooms.catalogue.index.n_alive == 60


async def test_a_change_beside_the_text_keeps_the_vector(rooms: Rooms) -> None:
    item = tiny_items()[7]
    priced = Item(item.item_id, item.title, item.categories, item.description, {"price": 3})
    await rooms.catalogue.put(priced)
    slot = rooms.catalogue.find_slot(item.item_id)
    assert slot == 7
    assert rooms.catalogue.item_at(7) == priced


async def test_a_text_put_back_brings_the_trained_vector_back(rooms: Rooms) -> None:
    before = vector_of(rooms, "i7")
    await rooms.catalogue.put(Item(ItemId("i7"), "something for robots"))
    await rooms.catalogue.put(tiny_items()[7])
    assert np.array_equal(vector_of(rooms, "i7"), before)
    assert served(rooms.catalogue) == {item.item_id for item in tiny_items()}
    assert rooms.catalogue.index.n_alive == 60


@pytest.mark.parametrize("item_id", ["i7", "new"])
async def test_a_deleted_item_is_gone_at_once(rooms: Rooms, item_id: str) -> None:
    await rooms.catalogue.put(ROBOTS)
    await rooms.catalogue.delete(ItemId(item_id))
    assert item_id not in served(rooms.catalogue)
    assert not rooms.catalogue.is_served(ItemId(item_id))
    assert rooms.catalogue.find_slot(ItemId(item_id)) is not None  # what was watched still tells of a taste
    with pytest.raises(UnknownItem):
        await rooms.catalogue.get(ItemId(item_id))


async def test_what_is_not_there_cannot_be_deleted(rooms: Rooms) -> None:
    with pytest.raises(UnknownItem, match="nowhere"):
        await rooms.catalogue.delete(ItemId("nowhere"))


async def test_deleted_stays_deleted_over_a_restart_and_what_was_put_stays(tiny_bundle: Path, tmp_path: Path) -> None:
    async with open_rooms(tiny_bundle, tmp_path) as rooms:
        await rooms.catalogue.delete(ItemId("i7"))
        await rooms.catalogue.put(ROBOTS)
        vector = vector_of(rooms, "new")
    async with open_rooms(tiny_bundle, tmp_path) as rooms:
        assert await rooms.catalogue.seed() == 0
        assert served(rooms.catalogue) == {item.item_id for item in tiny_items()} - {"i7"} | {"new"}
        assert np.array_equal(vector_of(rooms, "new"), vector)


async def test_a_deleted_item_that_is_put_again_is_back(rooms: Rooms) -> None:
    before = vector_of(rooms, "i7")
    await rooms.catalogue.delete(ItemId("i7"))
    assert await rooms.catalogue.put(tiny_items()[7])
    assert np.array_equal(vector_of(rooms, "i7"), before)
    assert rooms.catalogue.is_served(ItemId("i7"))


async def test_two_processes_agree_once_they_have_caught_up(two: tuple[Rooms, Rooms]) -> None:
    one, other = two
    await one.catalogue.put(ROBOTS)
    await other.catalogue.delete(ItemId("i7"))
    await one.catalogue.put(Item(ItemId("i8"), "something for robots"))
    await other.catalogue.put(Item(ItemId("mine"), "quiet story"))
    for rooms in two:
        await rooms.catalogue.catch_up()
    assert served(one.catalogue) == served(other.catalogue)
    for item_id in ("new", "i8", "mine", "i9"):
        assert np.array_equal(vector_of(one, item_id), vector_of(other, item_id))


async def until_served(catalogue: LiveCatalogue, item_id: ItemId) -> None:
    async with asyncio.timeout(10):
        while not catalogue.is_served(item_id):  # noqa: ASYNC110 - the catalogue tells nobody that it has changed
            await asyncio.sleep(0.001)


async def test_a_follower_keeps_up_by_itself(two: tuple[Rooms, Rooms]) -> None:
    one, other = two
    following = asyncio.create_task(other.catalogue.follow(poll_s=0.001))
    await one.catalogue.put(ROBOTS)
    await until_served(other.catalogue, ROBOTS.item_id)
    following.cancel()
    assert await nearest(other, item_text(ROBOTS)) == [ROBOTS]


async def test_a_follower_outlives_a_store_that_fails(
    two: tuple[Rooms, Rooms], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    store, failures = other.catalogue._store, []
    whole = store.changes_since

    async def fail_twice(seq: int, limit: int) -> object:
        if len(failures) < 2:
            failures.append(seq)
            raise StoreUnavailable("gone")
        return await whole(seq, limit)

    monkeypatch.setattr(store, "changes_since", fail_twice)
    following = asyncio.create_task(other.catalogue.follow(poll_s=0.001))
    await one.catalogue.put(ROBOTS)
    await until_served(other.catalogue, ROBOTS.item_id)
    following.cancel()
    assert len(failures) == 2


async def test_the_vector_of_another_bundle_is_not_used(rooms: Rooms) -> None:
    """Written by a process that still serves the bundle before: encoded anew with this one."""
    await rooms.catalogue._store.put(ROBOTS, np.ones(32, dtype=np.float32), "the bundle before")
    await rooms.catalogue.catch_up()
    assert await nearest(rooms, item_text(ROBOTS)) == [ROBOTS]


async def test_text_vectors_come_for_old_and_new_slots_in_order(rooms: Rooms) -> None:
    await rooms.catalogue.put(ROBOTS)
    expected = np.stack([(await rooms.texts.encode([item_text(ROBOTS)]))[0, :32], rooms.trained.text[3]])
    assert np.array_equal(rooms.catalogue.text_at(np.array([60, 3])), expected)
    assert rooms.catalogue.text_at(np.empty(0, dtype=np.int64)).shape == (0, 32)


async def test_those_that_may_be_shown_are_told_from_those_that_may_not(rooms: Rooms) -> None:
    await rooms.catalogue.delete(ItemId("i7"))
    asked: Sequence[ItemId] = [ItemId(name) for name in ("i9", "i7", "nowhere", "i3", "i9", "i7")]
    slots, unknown = rooms.catalogue.find_served(asked)
    assert (slots.tolist(), unknown) == ([9, 3], ("i7", "nowhere"))


async def test_none_asked_are_none_found(rooms: Rooms) -> None:
    slots, unknown = rooms.catalogue.find_served([])
    assert (slots.tolist(), slots.dtype, unknown) == ([], np.int64, ())


async def test_an_item_changed_again_and_again_keeps_one_slot(rooms: Rooms) -> None:
    """The bundle's own slot for a trained item, then one beside it; neither grows with the number of changes."""
    for n in range(5):
        await rooms.catalogue.put(Item(ROBOTS.item_id, f"robots part {n}"))
        await rooms.catalogue.put(Item(ItemId("i7"), f"changed {n}"))
    await rooms.catalogue.put(tiny_items()[7])
    await rooms.catalogue.put(Item(ItemId("i7"), "changed again"))
    assert rooms.catalogue.index.n_slots == 62
    assert rooms.catalogue.index.n_alive == 61
    assert [item.title for item in await nearest(rooms, "robots part 4")] == ["robots part 4"]
    assert [item.title for item in await nearest(rooms, "changed again")] == ["changed again"]


@pytest.mark.parametrize("item_id", ["i7", "new"])
async def test_a_hidden_item_is_kept_read_and_not_served_until_it_is_shown_again(rooms: Rooms, item_id: str) -> None:
    await rooms.catalogue.put(ROBOTS)
    before = vector_of(rooms, item_id)
    hidden = await rooms.catalogue.revise(ItemId(item_id), lambda item: replace(item, hidden=True))
    assert hidden.hidden
    assert item_id not in served(rooms.catalogue)
    assert not rooms.catalogue.is_served(ItemId(item_id))
    assert (await rooms.catalogue.get(ItemId(item_id))).hidden
    assert np.array_equal(vector_of(rooms, item_id), before)
    await rooms.catalogue.revise(ItemId(item_id), lambda item: replace(item, hidden=False))
    assert item_id in served(rooms.catalogue)
    assert np.array_equal(vector_of(rooms, item_id), before)


async def test_hiding_reaches_another_process_by_the_feed(two: tuple[Rooms, Rooms]) -> None:
    mine, theirs = two
    await mine.catalogue.put(ROBOTS)
    await theirs.catalogue.catch_up()
    await mine.catalogue.revise(ROBOTS.item_id, lambda item: replace(item, hidden=True))
    await theirs.catalogue.catch_up()
    assert not theirs.catalogue.is_served(ROBOTS.item_id)


async def test_changes_made_at_once_are_all_kept(rooms: Rooms) -> None:
    await rooms.catalogue.put(ROBOTS)

    def adding(n: int) -> Callable[[Item], Item]:
        return lambda item: replace(item, properties={**item.properties, f"p{n}": n})

    await asyncio.gather(*(rooms.catalogue.revise(ROBOTS.item_id, adding(n)) for n in range(4)))
    assert (await rooms.catalogue.get(ROBOTS.item_id)).properties == {f"p{n}": n for n in range(4)}
    with pytest.raises(UnknownItem):
        await rooms.catalogue.revise(ItemId("nowhere"), lambda item: item)


async def test_many_items_are_put_at_once_and_unchanged_texts_are_not_encoded_again(two: tuple[Rooms, Rooms]) -> None:
    mine, theirs = two
    items = [Item(ItemId(f"n{n}"), f"loud robots story {n}") for n in range(150)]
    assert await mine.catalogue.put_many([*items, tiny_items()[7]]) == 150
    encoded: list[str] = []
    encode = mine.texts.encode_slowly

    async def counting(texts: Sequence[str]) -> FloatArray:
        encoded.extend(texts)
        return await encode(texts)

    mine.texts.encode_slowly = counting
    priced = [replace(item, properties={"price": 1}) for item in items[:-1]]
    assert await mine.catalogue.put_many([*priced, Item(ItemId("n149"), "old western story")]) == 0
    assert encoded == ["old western story"]
    await theirs.catalogue.catch_up()
    for rooms in two:
        assert await nearest(rooms, "old western story") == [Item(ItemId("n149"), "old western story")]
        assert rooms.catalogue.index.n_alive == 210
    assert np.array_equal(vector_of(mine, "n3"), vector_of(theirs, "n3"))
    assert [len(page) async for page in mine.catalogue.pages()] == [210]


async def test_a_new_item_is_as_popular_as_a_trained_one_that_nobody_met(rooms: Rooms) -> None:
    unmet = rooms.trained.prior[rooms.trained.n_events == 0]
    await rooms.catalogue.put(ROBOTS)
    prior = vector_of(rooms, "new")[rooms.scorer.shape.dim :]
    assert len(unmet) == 0 or np.array_equal(prior, unmet[0])
    assert (prior <= rooms.trained.prior.min(axis=0)).all()
