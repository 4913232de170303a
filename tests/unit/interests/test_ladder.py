"""The ladder from a fresh encode down to what is popular, on the real rooms and a tiny bundle."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from tiny import event

from app.catalogue.text import item_text
from app.domain import Context, InterestVectors, Item, ItemId, Rung, SlateRequest, UserId
from app.errors import CacheUnavailable, Overloaded
from app.settings import Settings
from app.wiring import Resources, open_resources

pytestmark = pytest.mark.anyio

ASKED = Context(datetime(2024, 7, 1, 12, tzinfo=UTC))
ADA = UserId("ada")


def ask(**told: object) -> SlateRequest:
    return SlateRequest(ASKED, k=5, **told)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(settings) as resources:
        yield resources


async def test_fresh_first_then_cached_then_fresh_again_after_an_event(tiny_settings: Settings) -> None:
    async with opened(tiny_settings) as resources:
        await resources.histories.append([event(1, "ada", "i3"), event(2, "ada", "i4")])
        rungs = [(await resources.recommender.recommend(ask(user_id=ADA))).served_by.rung for _ in range(2)]
        await resources.histories.append([event(3, "ada", "i5")])
        slate = await resources.recommender.recommend(ask(user_id=ADA))
    assert rungs == [Rung.FRESH, Rung.CACHED]
    assert slate.served_by.rung is Rung.FRESH
    assert "i5" not in [place.item.item_id for place in slate.items]


async def test_an_overloaded_encoder_leaves_the_older_vectors_and_says_so(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tiny_settings) as resources:
        await resources.histories.append([event(1, "ada", "i3")])
        await resources.recommender.recommend(ask(user_id=ADA))
        await resources.histories.append([event(2, "ada", "i4")])
        profiles = resources.plain._intents._profiles

        async def refuse(_reading: object) -> object:
            raise Overloaded("full")

        monkeypatch.setattr(profiles, "encode", refuse)
        stale = await resources.recommender.recommend(ask(user_id=ADA))
        nothing_kept = await resources.recommender.recommend(ask(history=(event(3, "", "i7"),)))
    assert (stale.served_by.rung, stale.served_by.degraded) == (Rung.STALE, ("encoder_overloaded",))
    assert (nothing_kept.served_by.rung, nothing_kept.served_by.degraded) == (Rung.POPULAR, ("encoder_overloaded",))
    assert len(nothing_kept.items) == 5


async def test_a_cache_that_is_gone_costs_an_encode_and_is_named(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tiny_settings) as resources:
        await resources.histories.append([event(1, "ada", "i3")])
        cache = resources.plain._intents._profiles._cache

        async def fail(*_arguments: object) -> InterestVectors | None:
            raise CacheUnavailable("gone")

        monkeypatch.setattr(cache, "get", fail)
        monkeypatch.setattr(cache, "put", fail)
        slate = await resources.recommender.recommend(ask(user_id=ADA))
    assert (slate.served_by.rung, slate.served_by.degraded) == (Rung.FRESH, ("interest_cache_unavailable",))


async def test_a_history_told_in_the_request_is_not_stored_and_not_cached(tiny_settings: Settings) -> None:
    async with opened(tiny_settings) as resources:
        told = (event(1, "ada", "i3"), event(2, "ada", "unheard-of"))
        slate = await resources.recommender.recommend(ask(user_id=ADA, history=told))
        later = await resources.recommender.recommend(ask(user_id=ADA))
        assert not await resources.histories.knows(ADA)
    assert slate.served_by.unknown_items == ("unheard-of",)
    assert (slate.served_by.rung, later.served_by.rung) == (Rung.FRESH, Rung.POPULAR)


async def test_a_slate_holds_all_that_may_be_shown_when_more_is_asked_for(tiny_settings: Settings) -> None:
    async with opened(tiny_settings) as resources:
        slate = await resources.recommender.recommend(SlateRequest(ASKED, k=500, exclude=frozenset({ItemId("i0")})))
    assert len({place.item.item_id for place in slate.items}) == len(slate.items) == 59


async def test_the_fall_told_as_evidence_is_what_leaving_the_event_out_measures(tiny_settings: Settings) -> None:
    events = [event(n, "ada", f"i{n}") for n in range(1, 5)]
    async with opened(tiny_settings) as resources:
        slate = await resources.recommender.recommend(ask(history=tuple(events), explain=True))
        place = slate.items[0]
        (told,) = [reason for reason in place.reasons if reason.kind == "event"]
        kept = tuple(e for e in events if e.event_id != told.evidence["event_id"])
        wide = SlateRequest(ASKED, k=60, history=kept)
        without = await resources.recommender.rank(wide, [place.item.item_id])
    assert told.evidence["fall"] == pytest.approx(place.score - without.items[0].score, abs=0.2)


async def test_items_put_changed_and_deleted_are_so_at_once_and_after_a_restart(tiny_settings: Settings) -> None:
    film = Item(ItemId("new"), "quiet robots film", ("space",))
    async with opened(tiny_settings) as resources:
        assert await resources.catalogue.put(film)
        found = await resources.recommender.recommend(SlateRequest(ASKED, k=20, words=item_text(film)))
        await resources.catalogue.delete(ItemId("i7"))
        shown = await resources.recommender.recommend(SlateRequest(ASKED, k=500))
    async with opened(tiny_settings) as resources:
        again = await resources.recommender.recommend(SlateRequest(ASKED, k=500))
    assert "new" in [place.item.item_id for place in found.items]
    ids = [{place.item.item_id for place in slate.items} for slate in (shown, again)]
    assert ids[0] == ids[1]
    assert "i7" not in ids[0]
