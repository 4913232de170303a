"""The main path end to end in one process, over the tiny bundle, as `app.wiring` builds it."""

from collections.abc import AsyncIterator

import pytest
from tiny import event, tiny_items
from tiny_rooms import MONDAY_MORNING, asking

from app.domain import PART_NAMES, Context, Item, ItemId, Rung, Seen, Slate, Source
from app.settings import Settings
from app.wiring import Resources, open_resources

pytestmark = pytest.mark.anyio

WATCHED = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])]
STAGES = ["intent", "eligible", "retrieval", "scoring", "reranking", "explanation"]


@pytest.fixture
async def resources(tiny_settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(tiny_settings) as resources:
        await resources.histories.append(WATCHED)
        yield resources


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
    assert all(place.sources == (Source.POPULAR,) for place in slate.items)
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
