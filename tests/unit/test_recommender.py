"""The main path end to end in one process, over the tiny bundle, as `app.wiring` builds it."""

from collections import Counter
from collections.abc import AsyncIterator
from copy import copy
from dataclasses import replace

import pytest
from tiny import GENRES, event, tiny_items
from tiny_rooms import MONDAY_MORNING, asking

from app.domain import (
    PART_NAMES,
    Boost,
    Context,
    EditOperation,
    InterestChange,
    Item,
    ItemId,
    Profiling,
    Rung,
    Seen,
    Slate,
    SlateRequest,
    Source,
    UserId,
)
from app.errors import UnknownPlacement, UnknownSlate
from app.interests.intent import Intent, IntentReader
from app.placements.placement import Pin, Placement, Sponsorship
from app.recommender import Recommender
from app.reranking.compose import Knobs
from app.settings import Settings
from app.slates.asked import request_from_json
from app.wiring import Resources, open_resources

pytestmark = pytest.mark.anyio

WATCHED = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])]
STAGES = ["intent", "eligible", "retrieval", "scoring", "reranking", "explanation"]


@pytest.fixture
async def resources(tiny_settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(tiny_settings) as resources:
        await resources.histories.append(WATCHED)
        yield resources


HOLDS = {
    'categories has "western"': lambda row: (
        row in range(GENRES.index("western") * 10, GENRES.index("western") * 10 + 10)
    ),
    "year < 1993": lambda row: row % 20 < 3,
    "item_id in ('i7', 'i58')": lambda row: row in {7, 58},
    "item_id = 'i7'": lambda row: row == 7,
    "year < 0": lambda row: False,
}


def few_candidates(resources: Resources) -> Recommender:
    """The same main path, asking each source for five candidates only."""
    recommender = copy(resources.recommender)
    recommender._candidates = 5
    return recommender


def ids(slate: Slate) -> list[str]:
    return [place.item.item_id for place in slate.items]


ASKERS = {
    "nobody": asking(),
    "known user": asking("ada"),
    "history": asking(history=WATCHED),
    "words": asking(words="slow western"),
    "everything": asking("ada", history=[event(9, "", "i9")], words="slow western"),
}


@pytest.mark.parametrize("asker", ASKERS)
async def test_whoever_asks_gets_a_full_slate_whose_parts_add_up(resources: Resources, asker: str) -> None:
    slate = await resources.recommender.recommend(ASKERS[asker])
    scores = [place.score for place in slate.items]
    assert len(set(ids(slate))) == 5
    assert scores == sorted(scores, reverse=True)
    for place in slate.items:
        assert tuple(place.parts) == PART_NAMES
        assert sum(place.parts.values()) == pytest.approx(place.score, abs=1e-5)
        assert place.sources
        assert place.reasons


@pytest.mark.parametrize("asker", ASKERS)
async def test_every_answer_tells_how_it_was_made(resources: Resources, tiny_settings: Settings, asker: str) -> None:
    slate = await resources.recommender.recommend(ASKERS[asker])
    served_by = slate.served_by
    assert served_by.bundle == tiny_settings.bundle_dir.name
    assert (served_by.degraded, served_by.unknown_items) == ((), ())
    assert list(served_by.took_ms) == STAGES
    assert min(served_by.took_ms.values()) >= 0
    assert served_by.rung is (Rung.POPULAR if asker == "nobody" else Rung.FRESH)
    assert (served_by.profile_age_s is None) == (asker in {"nobody", "words"})


async def test_every_slate_has_an_id_of_its_own(resources: Resources) -> None:
    slates = [await resources.recommender.recommend(asking()) for _ in range(3)]
    assert len({slate.slate_id for slate in slates}) == 3


async def test_nobody_gets_what_is_popular_in_this_part_of_the_week(resources: Resources) -> None:
    slate = await resources.recommender.recommend(asking())
    assert all(Source.POPULAR in place.sources for place in slate.items)
    assert all(place.score == pytest.approx(place.parts["prior"]) for place in slate.items)


async def test_a_known_user_and_the_same_history_told_get_the_same_slate(resources: Resources) -> None:
    stored = await resources.recommender.recommend(asking("ada"))
    told = await resources.recommender.recommend(asking(history=WATCHED))
    assert ids(stored) == ids(told)
    assert [p.score for p in stored.items] == pytest.approx([p.score for p in told.items], abs=1e-4)


async def test_a_user_we_do_not_know_is_served_as_nobody(resources: Resources) -> None:
    stranger = await resources.recommender.recommend(asking("stranger"))
    assert ids(stranger) == ids(await resources.recommender.recommend(asking()))


async def test_what_was_seen_is_never_shown_unless_it_may(resources: Resources) -> None:
    watched = {each.item_id for each in WATCHED} | {"i9"}
    told = [event(9, "", "i9")]
    never = await resources.recommender.recommend(asking("ada", history=told, k=60))
    always = await resources.recommender.recommend(asking("ada", history=told, k=60, seen=Seen.ALWAYS))
    assert not set(ids(never)) & watched
    assert len(never.items) == 60 - len(watched)
    assert set(ids(always)) == {item.item_id for item in tiny_items()}


async def test_excluded_items_are_not_shown_whatever_else_is_asked(resources: Resources) -> None:
    excluded = frozenset(ItemId(f"i{n}") for n in range(0, 60, 2)) | {ItemId("nowhere")}
    slate = await resources.recommender.recommend(asking("ada", k=60, seen=Seen.ALWAYS, exclude=excluded))
    assert set(ids(slate)) == {f"i{n}" for n in range(1, 60, 2)}


async def test_more_than_there_is_gives_what_there_is(resources: Resources) -> None:
    assert len((await resources.recommender.recommend(asking(k=500))).items) == 60


async def test_nothing_left_to_show_is_an_empty_slate_that_says_how_it_was_made(resources: Resources) -> None:
    everything = frozenset(item.item_id for item in tiny_items())
    for request in (asking(exclude=everything), asking("ada", exclude=everything, explain=True)):
        slate = await resources.recommender.recommend(request)
        assert slate.items == ()
        assert list(slate.served_by.took_ms) == STAGES


async def test_a_wider_slate_begins_with_the_narrower_one(resources: Resources) -> None:
    narrow = await resources.recommender.recommend(asking("ada", words="slow western", k=3))
    wide = await resources.recommender.recommend(asking("ada", words="slow western", k=30))
    assert ids(wide)[:3] == ids(narrow)


@pytest.mark.parametrize("asker", ASKERS)
async def test_a_filter_gives_the_best_of_what_it_holds_for_however_few(resources: Resources, asker: str) -> None:
    every = await resources.recommender.recommend(replace(ASKERS[asker], k=60))
    for text in ('categories has "western"', "year < 1993", "item_id in ('i7', 'i58')", "item_id = 'i7'", "year < 0"):
        some = await resources.recommender.recommend(replace(ASKERS[asker], k=4, filter=text))
        found = [item_id for item_id in ids(every) if HOLDS[text](int(item_id[1:]))]
        assert ids(some) == found[:4]


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize("add", [100.0, -100.0, 0.5])
async def test_boosts_find_the_best_of_all_and_the_parts_add_up(resources: Resources, asker: str, add: float) -> None:
    """Against every item scored: candidates are few, and a boost must lift what was none without it."""
    boosts = (Boost('categories has "western"', add=add), Boost("year < 1995", factor=1.5), Boost("year = 1990", add=1))
    request = replace(ASKERS[asker], boosts=boosts, seen=Seen.ALWAYS)
    narrow = await few_candidates(resources).recommend(replace(request, k=5))
    wide = await resources.recommender.recommend(replace(request, k=60))
    assert ids(narrow) == ids(wide)[:5]
    assert [place.score for place in wide.items] == sorted((place.score for place in wide.items), reverse=True)
    for place in wide.items:
        assert sum(place.parts.values()) == pytest.approx(place.score, abs=1e-5)
        ruled = place.item.categories == ("western",) or place.item.properties["year"] < 1995
        assert (place.parts["rules"] != 0) == ruled
        assert ("rule" in {reason.kind for reason in place.reasons}) == ruled


async def test_a_relevance_floor_cuts_the_slate_where_the_scores_fall_and_says_so(resources: Resources) -> None:
    lengths = []
    for floor in (None, 0.0, 0.5, 1.0):
        slate = await resources.recommender.recommend(asking("ada", k=60, seen=Seen.ALWAYS, min_relevance=floor))
        lengths.append(len(slate.items))
        assert slate.served_by.warnings == (() if floor is None else ("few_relevant",))
    assert lengths[:2] == [60, 30]
    assert 1 < lengths[2] < 30
    assert lengths[3] == 1


async def test_a_boost_lifts_nothing_over_the_relevance_floor(resources: Resources) -> None:
    request = asking("ada", k=60, seen=Seen.ALWAYS, min_relevance=0.5)
    plain = await resources.recommender.recommend(request)
    boosted = await resources.recommender.recommend(replace(request, boosts=(Boost("year >= 1990", add=500),)))
    assert set(ids(boosted)) == set(ids(plain))


async def test_a_slate_short_of_items_that_may_appear_says_so(resources: Resources) -> None:
    slate = await resources.recommender.recommend(asking("ada", filter="item_id = 'i7'"))
    assert slate.served_by.warnings == ("few_eligible",)


async def test_a_slate_short_because_of_caps_says_so(resources: Resources) -> None:
    await resources.placements.put(Placement("home", max_per_category=1))
    slate = await resources.recommender.recommend(asking("ada", k=20, placement="home"))
    assert len(slate.items) < 20
    assert slate.served_by.warnings == ("capped",)


async def test_a_deadline_too_short_to_encode_in_is_kept_by_going_down_the_ladder(resources: Resources) -> None:
    hurried = await resources.recommender.recommend(asking("ada", words="slow western", deadline_ms=1, explain=True))
    assert hurried.served_by.rung is Rung.POPULAR
    assert hurried.served_by.degraded == ("encoder_overloaded", "words_unread", "deadline")
    assert len(hurried.items) == 5
    ample = await resources.recommender.recommend(asking("ada", words="slow western", deadline_ms=60_000))
    assert (ample.served_by.rung, ample.served_by.degraded) == (Rung.FRESH, ())
    cached = await resources.recommender.recommend(asking("ada", deadline_ms=1))
    assert (cached.served_by.rung, cached.served_by.degraded) == (Rung.CACHED, ())


async def test_a_check_tells_what_a_request_would_come_to_and_does_nothing(resources: Resources) -> None:
    boosts = (Boost('categories has "western"', factor=2), Boost("yaer = 1", add=1))
    told = [event(9, "", "i9"), event(10, "", "ghost")]
    request = asking("ada", told, filter='year < 1995 and not categories has "crime"', boosts=boosts, explain=True)
    check = await resources.recommender.check(request)
    slate = await resources.recommender.recommend(replace(request, k=60))
    assert check.n_eligible == len(slate.items)
    assert check.n_boosted == (sum(p.item.categories == ("western",) for p in slate.items), 0)
    assert (check.unknown_items, check.unknown_properties) == (("ghost",), ("yaer",))


async def test_context_moves_the_scores_and_an_unknown_value_does_not(resources: Resources) -> None:
    def on(**features: str) -> Context:
        return Context(MONDAY_MORNING, features)

    scores = {
        name: [p.score for p in (await resources.recommender.recommend(asking("ada", context=context))).items]
        for name, context in {"none": on(), "tv": on(device="tv"), "moon": on(device="moon", mood="x")}.items()
    }
    assert scores["moon"] == pytest.approx(scores["none"])
    assert scores["tv"] != pytest.approx(scores["none"], abs=1e-4)


async def test_a_callers_list_comes_back_whole_in_the_order_of_the_served_scores(resources: Resources) -> None:
    asked = [ItemId(name) for name in ("i50", "i3", "i9", "nowhere", "i20", "i3")]
    ranked = await resources.recommender.rank(asking("ada"), asked)
    served = await resources.recommender.recommend(asking("ada", k=60, seen=Seen.ALWAYS))
    score = {place.item.item_id: place.score for place in served.items}
    assert sorted(ids(ranked)) == ["i20", "i3", "i50", "i9"]
    assert ids(ranked) == sorted(ids(ranked), key=lambda item_id: -score[item_id])
    assert [p.score for p in ranked.items] == pytest.approx([score[item_id] for item_id in ids(ranked)], abs=1e-4)
    assert ranked.served_by.unknown_items == ("nowhere",)
    assert all(place.sources == (Source.CALLER,) for place in ranked.items)


async def test_a_list_of_items_we_do_not_hold_is_an_empty_slate_that_names_them(resources: Resources) -> None:
    ranked = await resources.recommender.rank(asking(), [ItemId("nowhere")])
    assert (ranked.items, ranked.served_by.unknown_items) == ((), ("nowhere",))


async def test_pages_repeat_nothing_and_go_on_in_the_order_of_one_long_slate(resources: Resources) -> None:
    request = asking("ada", words="slow western", k=7, filter="year < 2009", exclude=frozenset({ItemId("i7")}))
    whole = ids(await resources.recommender.recommend(replace(request, k=60)))
    page = await resources.recommender.recommend(request)
    shown = ids(page)
    while page.has_next:
        page = await resources.recommender.recommend_next(page.slate_id)
        shown += ids(page)
    assert shown == whole
    assert page.served_by.warnings == ("few_eligible",)
    last = await resources.slates.get(page.slate_id)
    assert [item.position for item in last.items] == list(range(50, 1 + len(whole)))[-len(last.items) :]


async def test_a_page_may_be_of_another_length_and_keeps_the_moment_of_the_first(resources: Resources) -> None:
    first = await resources.recommender.recommend(asking(k=3))
    second = await resources.recommender.recommend_next(first.slate_id, 4)
    assert len(second.items) == 4
    assert ids(first) + ids(second) == ids(await resources.recommender.recommend(asking(k=7)))


async def test_what_happens_between_pages_counts(resources: Resources) -> None:
    first = await resources.recommender.recommend(asking("bob", k=3))
    assert first.served_by.rung is Rung.POPULAR
    await resources.histories.append([event(50, "bob", "i33")])
    second = await resources.recommender.recommend_next(first.slate_id)
    assert second.served_by.rung is Rung.FRESH
    assert not {*ids(first), "i33"} & set(ids(second))


async def test_a_slate_nobody_remembers_and_a_list_of_ones_own_have_no_next_page(resources: Resources) -> None:
    ranked = await resources.recommender.rank(asking("ada"), [ItemId("i1")])
    assert not ranked.has_next
    for slate_id in ("nowhere", ranked.slate_id):
        with pytest.raises(UnknownSlate):
            await resources.recommender.recommend_next(slate_id)


async def test_slates_are_remembered_with_all_it_takes_to_ask_again(resources: Resources) -> None:
    request = asking("ada", [event(9, "", "i9")], "slow western", exclude=frozenset({ItemId("i7")}), explain=True)
    slate = await resources.recommender.recommend(request)
    record = await resources.slates.get(slate.slate_id)
    assert request_from_json(record.request) == request
    assert (record.user_id, record.bundle) == ("ada", slate.served_by.bundle)
    assert [(item.item_id, item.position) for item in record.items] == [(i, n) for n, i in enumerate(ids(slate), 1)]


async def test_what_may_not_be_known_is_not_remembered(resources: Resources) -> None:
    asked = asking("ada", [event(9, "ada", "i9")], words="slow western").with_profiling(Profiling.NONE)
    slate = await resources.recommender.recommend(asked)
    record = await resources.slates.get(slate.slate_id)
    assert record.user_id is None
    assert "ada" not in str(record.request)
    assert "i9" not in str(record.request)
    stranger = await resources.recommender.recommend(asking(words="slow western"))
    assert ids(slate) == ids(stranger)


async def test_slates_of_one_page_share_no_item_and_the_earlier_choose_first(resources: Resources) -> None:
    requests = [asking("ada"), asking("ada"), asking("ada", filter="year < 1993", k=3), asking(k=60)]
    alone = await resources.recommender.recommend(requests[0])
    page = await resources.recommender.recommend_page(requests)
    shown = [item_id for slate in page for item_id in ids(slate)]
    assert ids(page[0]) == ids(alone)
    assert len(shown) == len(set(shown)) == 60
    assert [len(slate.items) for slate in page] == [5, 5, 3, 47]


async def test_items_told_on_the_spot_are_ranked_by_their_text_beside_those_we_hold(resources: Resources) -> None:
    told = [Item(ItemId("items[1]"), "slow western film", ("western",)), Item(ItemId("i3"), "loud robots story")]
    listed = [ItemId("i50"), told[0], ItemId("nowhere"), told[1], ItemId("i20"), ItemId("i3")]
    ranked = await resources.recommender.rank(asking(words="slow western film"), listed)
    assert ids(ranked)[0] == "items[1]"
    assert sorted(ids(ranked)) == ["i20", "i3", "i50", "items[1]"]
    assert ranked.served_by.unknown_items == ("nowhere",)
    assert {place.item.item_id: place.item.title for place in ranked.items}["i3"] == "loud robots story"
    for place in ranked.items:
        assert sum(place.parts.values()) == pytest.approx(place.score, abs=1e-5)
    await resources.catalogue.put(told[0])
    put = await resources.recommender.rank(asking(words="slow western film"), [ItemId("items[1]")])
    assert put.items[0].score == pytest.approx(ranked.items[0].score, abs=1e-5)


async def test_items_told_that_cannot_be_read_in_time_are_named_with_the_unknown(resources: Resources) -> None:
    await resources.recommender.recommend(asking("ada"))
    listed = [ItemId("i50"), Item(ItemId("told"), "never read before")]
    ranked = await resources.recommender.rank(asking("ada", deadline_ms=1), listed)
    assert (ids(ranked), ranked.served_by.unknown_items) == (["i50"], ("told",))
    assert ranked.served_by.degraded == ("items_unread", "deadline")


async def test_an_item_just_put_can_be_recommended(resources: Resources) -> None:
    film = Item(ItemId("new"), "slow western robots")
    await resources.catalogue.put(film)
    slate = await resources.recommender.recommend(asking(words="slow western robots", k=3))
    assert "new" in ids(slate)


async def test_readiness_names_the_bundle_the_items_and_the_cache(
    resources: Resources, tiny_settings: Settings
) -> None:
    assert await resources.health.ready() == {
        "bundle": tiny_settings.bundle_dir.name,
        "device": "cpu",
        "items": "60",
        "interest_cache": "memory: this process only",
    }


async def test_a_search_finds_what_the_words_say_in_the_order_of_taste(resources: Resources) -> None:
    nobody = await resources.recommender.search(asking(words="slow western", k=10), 10)
    personal = await resources.recommender.search(asking("ada", words="slow western", k=10, seen=Seen.ALWAYS), 10)
    assert sum("western" in place.item.title for place in nobody.items) >= 8
    assert set(ids(personal)) == set(ids(nobody))  # the words decide which
    ranked = await resources.recommender.rank(asking("ada"), [ItemId(item_id) for item_id in ids(nobody)])
    assert ids(personal) == ids(ranked)  # taste decides their order
    assert all(place.sources == (Source.WORDS,) for place in personal.items)
    assert not personal.has_next


@pytest.mark.parametrize("user_id", ["ada", "stranger"])
async def test_a_search_leaves_out_what_whoever_asks_never_wants(resources: Resources, user_id: str) -> None:
    await resources.editor.edit(UserId(user_id), [InterestChange(EditOperation.NEVER, "western")])
    slate = await resources.recommender.search(asking(user_id, words="slow western", k=20, seen=Seen.ALWAYS), 60)
    assert len(slate.items) == 20
    assert not [place for place in slate.items if "western" in place.item.categories]


async def test_more_of_a_phrase_moves_a_search_towards_the_order_of_that_phrase(resources: Resources) -> None:
    asked = asking("ada", words="slow film", k=60, seen=Seen.ALWAYS)
    of_phrase = ids(await resources.recommender.search(asking(words="western", k=60), 60))
    plain = ids(await resources.recommender.search(asked, 60))
    await resources.editor.edit(UserId("ada"), [InterestChange(EditOperation.MORE, "western")])
    edited = ids(await resources.recommender.search(asked, 60))

    def distance(order: list[str]) -> int:
        return sum(abs(order.index(item_id) - place) for place, item_id in enumerate(of_phrase))

    assert distance(edited) < distance(plain)


async def test_a_search_reads_the_intent_once(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    read, asked = IntentReader.read, []

    async def count(reader: IntentReader, request: SlateRequest) -> Intent:
        asked.append(request)
        return await read(reader, request)

    monkeypatch.setattr(IntentReader, "read", count)
    await resources.recommender.search(asking("ada", words="slow western"), 10)
    assert len(asked) == 1


async def test_no_source_and_no_pin_brings_what_is_never_wanted(resources: Resources) -> None:
    """Whatever a placement puts forward, and whatever was liked by others."""
    await resources.histories.append([event(20 + n, "bob", f"i{n}") for n in range(60)])
    await resources.crowd.catch_up()
    await resources.editor.edit(UserId("ada"), [InterestChange(EditOperation.NEVER, "western")])
    western = next(item.item_id for item in tiny_items() if "western" in item.categories)
    names = [str(name) for name in Source if name not in {Source.CALLER, Source.PINNED, Source.SPONSORED}]
    for name in names:
        paid = Sponsorship(0.3, filter='categories has "western"')
        await resources.placements.put(
            Placement(f"only-{name}", k=30, sources={name: 60}, pins=(Pin(western, 1),), sponsored=paid)
        )
        asked = asking("ada", words="western", k=30, placement=f"only-{name}", seen=Seen.ALWAYS)
        slate = await resources.recommender.recommend(asked)
        assert slate.items
        assert not [place for place in slate.items if "western" in place.item.categories], name


async def test_a_checked_request_counts_without_what_is_never_wanted(resources: Resources) -> None:
    before = (await resources.recommender.check(asking("ada", seen=Seen.ALWAYS))).n_eligible
    await resources.editor.edit(UserId("ada"), [InterestChange(EditOperation.NEVER, "western")])
    assert (await resources.recommender.check(asking("ada", seen=Seen.ALWAYS))).n_eligible == before - 10


async def test_a_search_leaves_out_what_its_filter_and_its_list_do(resources: Resources) -> None:
    asked = asking("ada", words="space", k=5, filter='categories has "space"', exclude=frozenset({ItemId("i3")}))
    slate = await resources.recommender.search(asked, 5)
    assert {place.item.categories for place in slate.items} == {("space",)}
    assert not {"i3", "i4"} & set(ids(slate))  # excluded, and seen


async def test_a_placement_makes_the_slate_unless_the_request_says_otherwise(resources: Resources) -> None:
    home = Placement(
        "home",
        k=6,
        filter='not categories has "crime"',
        pins=(Pin(ItemId("i59"), 2),),
        max_per_category=2,
        knobs=Knobs(diversity=0.5),
    )
    await resources.placements.put(home)
    slate = await resources.recommender.recommend(asking("ada", k=0, placement="home"))
    categories = Counter(place.item.categories[0] for place in slate.items)
    assert len(slate.items) == 6
    assert slate.items[1].item.item_id == "i59"
    assert slate.items[1].rules == ("pinned",)
    assert max(categories.values()) <= 2
    assert "crime" not in categories
    longer = await resources.recommender.recommend(asking("ada", k=8, placement="home", diversity=0.0))
    assert len(longer.items) == 8
    assert (await resources.slates.get(slate.slate_id)).placement == "home"
    with pytest.raises(UnknownPlacement):
        await resources.recommender.recommend(asking(placement="elsewhere"))


async def test_exploration_is_told_with_its_propensity_and_remembered(resources: Resources) -> None:
    slates = [await resources.recommender.recommend(asking("ada", k=5, exploration=0.5)) for _ in range(20)]
    plain = await resources.recommender.recommend(asking("ada", k=5))
    explored = [place for slate in slates for place in slate.items if place.rules == ("explored",)]
    assert 20 < len(explored) < 80
    assert {round(place.propensity, 3) for place in explored} == {0.125}  # half a chance, for four alternatives
    assert all(place.propensity == 1.0 for place in plain.items)
    record = await resources.slates.get(slates[0].slate_id)
    assert [item.propensity for item in record.items] == [place.propensity for place in slates[0].items]


async def test_diversity_and_novelty_change_the_slate_and_no_score(resources: Resources) -> None:
    plain = await resources.recommender.recommend(asking("ada", k=60))
    score = {place.item.item_id: place.score for place in plain.items}
    for knobs in ({"diversity": 0.8}, {"novelty": 0.8}):
        slate = await resources.recommender.recommend(asking("ada", k=8, **knobs))
        assert ids(slate) != ids(plain)[:8]
        for place in slate.items:
            assert place.score == pytest.approx(score[place.item.item_id], abs=1e-5)
            assert sum(place.parts.values()) == pytest.approx(place.score, abs=1e-5)


async def test_every_source_names_what_it_proposed_and_the_best_by_score_stay(resources: Resources) -> None:
    await resources.crowd.catch_up()
    await resources.crowd.refresh()
    slate = await resources.recommender.recommend(asking("ada", k=54))
    named = {source for place in slate.items for source in place.sources}
    assert {"interests", "popular"} <= named
    few = Placement("few", sources={"interests": 60})
    await resources.placements.put(few)
    alone = await resources.recommender.recommend(asking("ada", k=54, placement="few"))
    assert ids(alone)[:20] == ids(slate)[:20]
