import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import numpy as np
import pytest
from tiny import event
from tiny_rooms import DeadCache, FullEncoder, Rooms, asking

from app.batching import MicroBatcher
from app.domain import FloatArray, ItemId, Rung, UserId
from app.errors import Overloaded
from app.interests.encoder import Reading, read_events
from app.interests.profiles import Profile

pytestmark = pytest.mark.anyio

ADA = UserId("ada")


async def store(rooms: Rooms, *item_ids: str, first: int = 0) -> None:
    await rooms.histories.append([event(first + n, "ada", item_id) for n, item_id in enumerate(item_ids)])


def vectors_of(profile: Profile) -> FloatArray:
    assert profile.vectors is not None
    return profile.vectors.vectors


async def test_nobody_has_no_profile(rooms: Rooms) -> None:
    assert await rooms.profiles().read(asking()) == Profile(None, Rung.POPULAR)


async def test_a_user_without_events_has_no_profile(rooms: Rooms) -> None:
    assert await rooms.profiles().read(asking("ada")) == Profile(None, Rung.POPULAR)


async def test_the_first_read_is_fresh_and_the_next_cached(rooms: Rooms) -> None:
    await store(rooms, "i3", "i4")
    profiles = rooms.profiles()
    first, second = await profiles.read(asking("ada")), await profiles.read(asking("ada"))
    assert (first.rung, second.rung) == (Rung.FRESH, Rung.CACHED)
    assert np.array_equal(vectors_of(first), vectors_of(second))
    assert second.degraded == ()


async def test_a_profile_is_what_the_encoder_says_of_the_history(rooms: Rooms) -> None:
    await store(rooms, "i3", "i4")
    profile = await rooms.profiles().read(asking("ada"))
    reading, events = read_events([event(0, "ada", "i3"), event(1, "ada", "i4")], rooms.catalogue)
    assert reading is not None
    assert profile.vectors is not None
    assert np.array_equal(profile.vectors.vectors, await rooms.encoder.ask(reading))
    assert profile.vectors.last_event_at == events[-1].at
    assert profile.vectors.watermark == await rooms.histories.watermark(ADA)


async def test_after_an_acknowledged_event_the_next_read_is_fresh_and_reflects_it(rooms: Rooms) -> None:
    await store(rooms, "i3", "i4")
    profiles = rooms.profiles()
    before = await profiles.read(asking("ada"))
    await store(rooms, "i50", first=2)
    after = await profiles.read(asking("ada"))
    assert after.rung is Rung.FRESH
    assert not np.allclose(vectors_of(before), vectors_of(after), atol=1e-3)


async def test_only_the_last_events_are_read(rooms: Rooms) -> None:
    await store(rooms, *[f"i{n}" for n in range(20)])
    events = await rooms.profiles().events_of(asking("ada"))
    assert [each.item_id for each in events] == [f"i{n}" for n in range(8, 20)]


async def test_an_encoder_that_cannot_leaves_the_older_vector_and_says_so(rooms: Rooms) -> None:
    await store(rooms, "i3")
    old = await rooms.profiles().read(asking("ada"))
    await store(rooms, "i50", first=1)
    profile = await rooms.profiles(encoder=FullEncoder()).read(asking("ada"))
    assert (profile.rung, profile.degraded) == (Rung.STALE, ("encoder_overloaded",))
    assert np.array_equal(vectors_of(profile), vectors_of(old))


async def test_without_an_older_vector_it_is_popular_and_says_so(rooms: Rooms) -> None:
    await store(rooms, "i3")
    profile = await rooms.profiles(encoder=FullEncoder()).read(asking("ada"))
    assert profile == Profile(None, Rung.POPULAR, ("encoder_overloaded",))


async def test_a_cached_vector_asks_nothing_of_the_encoder(rooms: Rooms) -> None:
    await store(rooms, "i3")
    await rooms.profiles().read(asking("ada"))
    full = FullEncoder()
    assert (await rooms.profiles(encoder=full).read(asking("ada"))).rung is Rung.CACHED
    assert full.asked == 0


async def test_an_encoder_that_takes_too_long_is_not_waited_for(rooms: Rooms) -> None:
    go = Flag()

    def slow(readings: Sequence[Reading]) -> list[FloatArray]:
        assert go.wait(10)
        return [np.zeros((2, 24), dtype=np.float32)] * len(readings)

    with ThreadPoolExecutor(1) as executor:
        encoder = MicroBatcher[Reading, FloatArray]("user encoder", slow, executor, max_batch=1, max_queue=1)
        await store(rooms, "i3")
        profile = await rooms.profiles(encoder=encoder, budget_s=0.02).read(asking("ada"))
        go.set()
        await encoder.close()
    assert profile == Profile(None, Rung.POPULAR, ("encoder_overloaded",))


async def test_a_budget_that_is_over_is_overload_with_the_number(rooms: Rooms) -> None:
    class Never:
        async def ask(self, _reading: Reading) -> FloatArray:
            return await asyncio.get_running_loop().create_future()

    reading, _ = read_events([event(0, "ada", "i3")], rooms.catalogue)
    assert reading is not None
    with pytest.raises(Overloaded, match="within 20 ms"):
        await rooms.profiles(encoder=Never(), budget_s=0.02).encode(reading)


async def test_a_cache_that_is_gone_is_told_of_once_asked_and_once_written_and_served_around(rooms: Rooms) -> None:
    await store(rooms, "i3")
    profile = await rooms.profiles(cache=DeadCache()).read(asking("ada"))
    assert profile.rung is Rung.FRESH
    assert set(profile.degraded) == {"interest_cache_unavailable"}


async def test_what_a_nearer_tier_holds_is_served_when_the_far_one_and_the_encoder_are_gone(rooms: Rooms) -> None:
    await store(rooms, "i3")
    old = await rooms.profiles().read(asking("ada"))
    await store(rooms, "i50", first=1)
    profile = await rooms.profiles(cache=DeadCache(old.vectors), encoder=FullEncoder()).read(asking("ada"))
    assert (profile.rung, profile.vectors) == (Rung.STALE, old.vectors)
    assert set(profile.degraded) == {"interest_cache_unavailable", "encoder_overloaded"}


async def test_a_history_told_in_the_request_is_read_and_never_stored(rooms: Rooms) -> None:
    told = [event(0, "", "i3"), event(1, "", "i4")]
    profile = await rooms.profiles().read(asking(history=told))
    assert profile.rung is Rung.FRESH
    assert profile.vectors is not None
    assert await rooms.histories.watermark(UserId("")) == 0
    assert await rooms.cache.get(UserId("")) is None


async def test_told_events_are_read_after_the_stored_ones_for_this_answer_only(rooms: Rooms) -> None:
    await store(rooms, "i3", "i4")
    profiles = rooms.profiles()
    alone = await profiles.read(asking("ada"))
    request = asking("ada", history=[event(9, "ada", "i50")])
    events = await profiles.events_of(request)
    assert [each.item_id for each in events] == ["i3", "i4", "i50"]
    assert not np.allclose(vectors_of(await profiles.read(request)), vectors_of(alone), atol=1e-3)
    again = await profiles.read(asking("ada"))
    assert again.rung is Rung.CACHED
    assert np.array_equal(vectors_of(again), vectors_of(alone))


async def test_unknown_and_deleted_items_of_a_told_history_are_named_once_and_skipped(rooms: Rooms) -> None:
    await rooms.catalogue.delete(ItemId("i5"))
    told = [event(n, "", item_id) for n, item_id in enumerate(["nowhere", "i3", "i5", "nowhere"])]
    profile = await rooms.profiles().read(asking(history=told))
    only = await rooms.profiles().read(asking(history=told[1:2]))
    assert profile.unknown_items == ("nowhere", "i5")
    assert np.array_equal(vectors_of(profile), vectors_of(only))


async def test_a_told_history_of_unknown_items_alone_is_nobody_and_names_them(rooms: Rooms) -> None:
    profile = await rooms.profiles().read(asking(history=[event(0, "", "nowhere")]))
    assert profile == Profile(None, Rung.POPULAR, (), ("nowhere",))


async def test_stored_events_on_items_that_were_never_ours_are_nobodys(rooms: Rooms) -> None:
    await store(rooms, "nowhere")
    assert await rooms.profiles().read(asking("ada")) == Profile(None, Rung.POPULAR)
