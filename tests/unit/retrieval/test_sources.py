"""Each source by itself, over the tiny bundle and a log of its own."""

from datetime import UTC, datetime
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import numpy as np
import pytest
from tiny import event, tiny_events
from tiny_rooms import Rooms, asking

from app import offered
from app.crowd.crowd import Crowd
from app.domain import Context, IntArray, Item, ItemId, SlateRequest, Source
from app.errors import SettingsError
from app.filtering.masks import FilterMasks
from app.placements.placement import Pin, Placement, Sponsorship
from app.placements.surface import NO_PLACEMENT
from app.retrieval.sources import plugins
from app.retrieval.sources.base import Ask, CandidateSource
from app.retrieval.sources.cold import COLD_BELOW, ColdSource
from app.retrieval.sources.covisited import CovisitedSource
from app.retrieval.sources.placed import PinnedSource, SponsoredSource
from app.retrieval.sources.plugins import SourceTools, load_sources
from app.retrieval.sources.popular import PopularSource
from app.retrieval.sources.rows import RowSource
from app.retrieval.sources.similar_users import SimilarUsersSource
from app.retrieval.sources.standings import FreshSource, TrendingSource
from app.retrieval.sources.steer import SteerSource

pytestmark = pytest.mark.anyio

WALKS = [("ada", (0, 1, 2)), ("bob", (0, 1, 2, 7)), ("cyd", (0, 1, 7)), ("dan", (30, 31, 32)), ("eve", (30, 31, 40))]
LOG = [
    event(10 * n + place, user, f"i{item}") for n, (user, items) in enumerate(WALKS) for place, item in enumerate(items)
]


@pytest.fixture
async def crowd(rooms: Rooms) -> Crowd:
    await rooms.histories.append(LOG)
    crowd = rooms.crowd()
    await crowd.start()
    return crowd


async def ask_of(
    rooms: Rooms, request: SlateRequest, placement: Placement = NO_PLACEMENT, but: frozenset[int] = frozenset()
) -> Ask:
    reader = rooms.intents()
    intent = await reader.read(request)
    query = rooms.scorer.query(intent.interests, request.context, intent.last_event_at_s)
    eligible = rooms.catalogue.index.served()
    eligible[list(but)] = False
    return Ask(request, placement, intent, query, eligible)


async def proposed(source: CandidateSource, ask: Ask, n: int = 60) -> list[int]:
    slots: IntArray = await source.propose(ask, n)
    assert slots.dtype == np.int64
    assert len(set(slots.tolist())) == len(slots)
    assert ask.eligible[slots].all()
    assert (await source.propose(ask, 2)).tolist() == slots[:2].tolist() or isinstance(source, RowSource)
    return slots.tolist()


async def test_covisited_is_what_went_with_the_last_likes_stored_or_told(rooms: Rooms, crowd: Crowd) -> None:
    source = CovisitedSource(crowd)
    stored = await proposed(source, await ask_of(rooms, asking("cyd")))
    assert stored == [2]  # 0, 1 and 7 are what they liked themselves
    told = await proposed(source, await ask_of(rooms, asking(history=[event(99, "", "i31")])))
    assert set(told) == {30, 32, 40}
    assert await proposed(source, await ask_of(rooms, asking(history=[event(99, "", "i31", "dislike")]))) == []
    assert await proposed(source, await ask_of(rooms, asking("cyd"), but=frozenset({2}))) == []
    assert await proposed(source, await ask_of(rooms, asking())) == []


async def test_an_event_stored_a_moment_ago_changes_what_is_covisited(rooms: Rooms, crowd: Crowd) -> None:
    source = CovisitedSource(crowd)
    await rooms.histories.append([event(100, "ada", "i50"), event(101, "zoe", "i50")])
    await crowd.catch_up()
    assert 2 in await proposed(source, await ask_of(rooms, asking("zoe")))


async def test_similar_users_bring_what_they_liked_and_this_one_has_not_met(rooms: Rooms, crowd: Crowd) -> None:
    source = SimilarUsersSource(crowd)
    met = frozenset({0, 1, 2})
    assert (await proposed(source, await ask_of(rooms, asking("ada"), but=met)))[0] == 7
    told = [event(90, "", "i30"), event(91, "", "i32")]
    assert set(await proposed(source, await ask_of(rooms, asking(history=told), but=frozenset({30, 32})))) == {31, 40}
    assert await proposed(source, await ask_of(rooms, asking("nobody"))) == []


async def test_standings_come_in_their_order_without_what_may_not_be_shown(rooms: Rooms, crowd: Crowd) -> None:
    await rooms.catalogue.put(Item(ItemId("new"), "quiet western story"))
    await crowd.refresh()
    new = rooms.catalogue.index.n_slots - 1
    fresh = await proposed(FreshSource(crowd), await ask_of(rooms, asking()))
    assert fresh[:2] == [new, 40]
    assert (await proposed(FreshSource(crowd), await ask_of(rooms, asking(), but=frozenset({new}))))[0] == 40
    trending = await proposed(TrendingSource(crowd), await ask_of(rooms, asking()))
    assert set(trending) <= {0, 1, 2, 7, 30, 31, 32, 40}


async def test_popular_follows_the_part_of_the_week(rooms: Rooms) -> None:
    source = PopularSource(rooms.catalogue.index, rooms.scorer)
    morning = await proposed(source, await ask_of(rooms, asking("ada")))
    evening = Context(datetime(2024, 6, 8, 20, tzinfo=UTC))
    assert morning != await proposed(source, await ask_of(rooms, asking("ada", context=evening)))
    best = rooms.trained.prior[:, 1].argmax()  # a weekday's morning
    assert morning[0] == best


async def test_what_steers_proposes_what_lies_at_its_end_and_nothing_where_nothing_steers(rooms: Rooms) -> None:
    source = SteerSource(rooms.catalogue.index, rooms.scorer)
    assert await proposed(source, await ask_of(rooms, asking("ada", words="quiet western"))) == []
    await rooms.catalogue.put(Item(ItemId("far"), "loud cartoon robots"))
    await rooms.catalogue.put(Item(ItemId("near"), "quiet western story"))
    for request in (asking("ada", steer="quiet western story"), asking(steer="quiet western story")):
        found = await proposed(source, await ask_of(rooms, request))
        assert found.index(61) < found.index(60)
        assert found[0] == 61 or "western" in rooms.catalogue.item_at(found[0]).title
    away = await proposed(source, await ask_of(rooms, asking("ada", steer="nothing like quiet western story")))
    assert away.index(61) > len(away) // 2


async def test_cold_items_are_those_with_few_events_the_nearest_to_the_interests_first(
    rooms: Rooms, crowd: Crowd
) -> None:
    source = ColdSource(rooms.catalogue, crowd, np.full(60, COLD_BELOW))
    ask = await ask_of(rooms, asking(words="quiet western story"))
    assert await proposed(source, ask) == []
    await rooms.catalogue.put(Item(ItemId("far"), "loud cartoon robots"))
    await rooms.catalogue.put(Item(ItemId("near"), "quiet western story"))
    ask = await ask_of(rooms, asking(words="quiet western story"))
    assert await proposed(source, ask) == [61, 60]
    await rooms.histories.append([event(200 + n, f"u{n}", "near") for n in range(COLD_BELOW)])
    await crowd.catch_up()
    await crowd.refresh()
    assert await proposed(source, ask) == [60]
    assert await proposed(source, await ask_of(rooms, asking())) == []


async def test_a_placement_puts_its_pins_and_its_sponsors_forward(rooms: Rooms) -> None:
    for name in ("ad", "other-ad"):
        await rooms.catalogue.put(Item(ItemId(name), f"{name} western story", properties={"sponsored": name == "ad"}))
    placement = Placement("shelf", pins=(Pin(ItemId("i9"), 1), Pin(ItemId("i3"), 2)), sponsored=Sponsorship(0.5))
    ask = await ask_of(rooms, asking(words="western"), placement)
    assert await proposed(PinnedSource(rooms.catalogue), ask) == [9, 3]
    source = SponsoredSource(rooms.catalogue, FilterMasks(rooms.catalogue))
    assert await proposed(source, ask) == [60]
    await rooms.catalogue.put(Item(ItemId("i5"), rooms.catalogue.item_at(5).title, properties={"sponsored": True}))
    ask = await ask_of(rooms, asking(words="western"), placement)
    assert {rooms.catalogue.item_at(slot).item_id for slot in await proposed(source, ask)} == {"ad", "i5"}


async def test_the_same_user_gets_other_candidates_in_another_moment(rooms: Rooms) -> None:
    """Morning on the phone against evening before the television: the gate and the prior are part of the query.

    The tiny bundle is trained with both; for some of its users the five best of an interest are then not the same.
    """
    told = tiny_events()
    morning = Context(datetime(2024, 6, 3, 8, tzinfo=UTC), {"device": "phone"})
    evening = Context(datetime(2024, 6, 8, 21, tzinfo=UTC), {"device": "tv"})
    source = RowSource(Source.INTERESTS, rooms.catalogue.index)
    changed = 0
    for user in range(40):
        rows = told.filter(told["user_id"] == f"u{user}").iter_rows(named=True)
        history = [event(n, "", row["item_id"], at=row["at"]) for n, row in enumerate(rows)]
        first, second, again = [
            set(await proposed(source, await ask_of(rooms, asking(history=history, context=context)), 5))
            for context in (morning, evening, morning)
        ]
        assert first == again
        changed += first != second
    assert changed


class Editors:
    name = "editors"

    def __init__(self, tools: SourceTools) -> None:
        self.tools = tools

    async def propose(self, ask: Ask, n: int) -> IntArray:
        return ask.first(self.tools.catalogue.slots_of([ItemId("i7")]), n)


def broken(_tools: SourceTools) -> Any:
    raise RuntimeError("no such file")


def offer(monkeypatch: pytest.MonkeyPatch, **entries: str) -> None:
    found = EntryPoints(EntryPoint(name, f"{__name__}:{value}", plugins.GROUP) for name, value in entries.items())
    monkeypatch.setattr(offered, "entry_points", lambda group: found)


async def test_a_source_from_another_package_is_plugged_in(
    rooms: Rooms, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, editors="Editors")
    (source,) = load_sources(SourceTools(rooms.catalogue, crowd, rooms.histories, rooms.scorer), ["fresh"])
    assert await proposed(source, await ask_of(rooms, asking())) == [7]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"editors": "broken"}, "no such file"),
        ({"fresh": "Editors"}, "give it the name"),
        ({"picks": "Editors"}, "editors"),
    ],
)
async def test_a_source_that_cannot_serve_stops_the_start(
    rooms: Rooms, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, entries: dict[str, str], said: str
) -> None:
    offer(monkeypatch, **entries)
    with pytest.raises(SettingsError, match=said):
        load_sources(SourceTools(rooms.catalogue, crowd, rooms.histories, rooms.scorer), ["fresh"])
