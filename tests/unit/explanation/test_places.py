from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from tiny import event
from tiny_rooms import Rooms, asking

from app.domain import (
    Context,
    EditOperation,
    InterestChange,
    ItemId,
    Seen,
    Slate,
    SlateRequest,
    UserId,
)
from app.errors import UnknownItem, UnknownSlate
from app.explanation.explainer import Explainer
from app.explanation.place import PlaceExplanation
from app.explanation.places import PlaceExplainer, tell_without_context
from app.explanation.remedies import RemedyFinder
from app.explanation.situation import SituationReader
from app.filtering.eligibility import Eligibility
from app.filtering.masks import FilterMasks
from app.placements.composer import Composer
from app.recommender import Recommender
from app.slates.asked import request_to_json
from app.slates.record import ServedItem, SlateRecord
from app.slates.store import SlateStore

pytestmark = pytest.mark.anyio

ADA = UserId("ada")
WATCHED = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])]
SERVED_AT = datetime(2024, 6, 3, 11, tzinfo=UTC)


class House:
    """Slates served and explained over the tiny bundle."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.slates = SlateStore(rooms.database)
        profiles, spoken = rooms.profiles(), rooms.spoken()
        book = rooms.phrasebook()
        masks = FilterMasks(rooms.catalogue)
        eligibility = Eligibility(rooms.histories, rooms.catalogue, masks, rooms.never)
        situations = SituationReader(
            rooms.histories,
            profiles,
            spoken,
            eligibility,
            masks,
            rooms.catalogue,
            rooms.scorer,
            rooms.surfaces(),
            history_events=12,
        )
        self.recommender = Recommender(
            rooms.version,
            rooms.surfaces(),
            rooms.intents(),
            eligibility,
            masks,
            rooms.retriever(candidates=30),
            rooms.catalogue,
            rooms.scorer,
            Composer(rooms.catalogue, masks, rooms.trained.space.shape),
            Explainer(profiles, rooms.catalogue, rooms.scorer, book),
            SlateStore(rooms.database),
        )
        self.places = PlaceExplainer(
            rooms.version,
            self.slates,
            situations,
            RemedyFinder(situations, rooms.catalogue, book, rooms.trained.context),
            rooms.never,
            rooms.catalogue,
            rooms.scorer,
            book,
            candidates=30,
        )

    async def serve(self, request: SlateRequest) -> Slate:
        slate = await self.recommender.recommend(request)
        items = tuple(ServedItem(p.item.item_id, p.score, n) for n, p in enumerate(slate.items, 1))
        told = request_to_json(request)
        self.slates.keep(
            SlateRecord(slate.slate_id, SERVED_AT, self.rooms.version, items, request.user_id, request=told)
        )
        return slate

    async def explain(self, slate: Slate, item_id: str) -> PlaceExplanation:
        return await self.places.explain(slate.slate_id, ItemId(item_id))


@pytest.fixture
async def house(rooms: Rooms) -> House:
    await rooms.histories.append(WATCHED)
    return House(rooms)


def ids(slate: Slate) -> list[str]:
    return [place.item.item_id for place in slate.items]


async def ranking(house: House, **changed: Any) -> list[str]:
    """All that may appear, best first, as the main path itself would serve it."""
    return ids(await house.recommender.recommend(asking("ada", k=60, **changed)))


@pytest.mark.parametrize("words", ["", "slow western"])
async def test_each_place_is_explained_by_the_score_that_was_answered(house: House, words: str) -> None:
    slate = await house.serve(asking("ada", words=words))
    for n, place in enumerate(slate.items, 1):
        told = await house.explain(slate, place.item.item_id)
        assert (told.verdict, told.position, told.rank, told.reproduced) == ("shown", n, n, True)
        assert told.score == pytest.approx(place.score, abs=1e-4)
        assert sum(told.parts.values()) == pytest.approx(told.score, abs=1e-5)
        assert told.remedies == ()


async def test_the_rank_told_without_an_event_is_where_it_ranks_without_it(house: House) -> None:
    """Against the main path asked with the shorter history, everything that may appear ranked."""
    watched = frozenset(each.item_id for each in WATCHED)
    slate = await house.serve(asking("ada", k=5))
    checked = 0
    for item_id in ids(slate):
        told = await house.explain(slate, item_id)
        for without in told.evidence:
            assert without.rank_fall == without.rank - told.rank
            if without.event_id == WATCHED[-1].event_id:
                continue  # the main path would then also take the time since another event
            history = [replace(each, user_id=UserId("")) for each in WATCHED if each.event_id != without.event_id]
            order = ids(await house.recommender.recommend(asking(history=history, k=60, exclude=watched)))
            assert order.index(item_id) + 1 == without.rank
            checked += 1
    assert checked


async def test_the_most_telling_event_comes_first(house: House) -> None:
    slate = await house.serve(asking("ada", k=5))
    for item_id in ids(slate):
        falls = [without.rank_fall for without in (await house.explain(slate, item_id)).evidence]
        assert falls == sorted(falls, reverse=True)
        assert 0 not in falls


async def test_what_is_below_the_cut_stands_where_a_longer_slate_shows_it(house: House) -> None:
    slate, order = await house.serve(asking("ada", k=5)), await ranking(house)
    told = await house.explain(slate, order[9])
    assert (told.verdict, told.position, told.rank, told.n_eligible) == ("below_cut", None, 10, 54)
    assert told.gap is not None
    assert told.gap < 0
    assert f"{-told.gap:.2f} below" in told.text
    assert (await house.explain(slate, order[45])).verdict == "not_proposed"


async def test_a_remedy_does_what_it_says(house: House) -> None:
    """Each change made, the main path gives the rank that was told."""
    slate, order = await house.serve(asking("ada", k=5)), await ranking(house)
    below = [await house.explain(slate, item_id) for item_id in order[6:12]]
    remedies = [(told, remedy) for told in below for remedy in told.remedies]
    assert {remedy.kind for _, remedy in remedies} >= {"phrase", "context"}
    for told, remedy in remedies:
        if remedy.kind == "phrase":
            now = await ranking(house, **remedy.change)
        elif remedy.kind == "context":
            at = datetime.fromisoformat(str(remedy.change.get("at", asking().context.at.isoformat())))
            features = {name: str(value) for name, value in remedy.change.items() if name != "at"}
            now = await ranking(house, context=Context(at, features))
        else:
            continue
        assert now.index(told.item_id) + 1 == remedy.rank < told.rank
        assert remedy.enters == (remedy.rank <= 5)


async def test_an_item_that_a_rule_keeps_out_is_told_the_rule_and_what_lifts_it(house: House) -> None:
    order = await ranking(house)
    slate = await house.serve(asking("ada", k=5, exclude=frozenset({ItemId(order[0])})))
    excluded, seen = await house.explain(slate, order[0]), await house.explain(slate, "i3")
    assert (excluded.verdict, excluded.rank, excluded.remedies[0].kind) == ("excluded", 1, "exclude")
    assert (seen.verdict, seen.remedies[0].change) == ("seen", {"seen": Seen.ALWAYS.value})
    assert excluded.remedies[0].enters
    assert len(excluded.remedies) == len(seen.remedies) == 1  # no score helps an item that a rule keeps out


async def test_never_is_told_with_the_phrase_that_takes_it_back(house: House) -> None:
    await house.rooms.editor.edit(ADA, [InterestChange(EditOperation.NEVER, "western")])
    slate = await house.serve(asking("ada", k=5))
    told = await house.explain(slate, "i36")
    assert (told.verdict, told.remedies[0].change) == ("never", {"op": "reset", "phrase": "western"})


async def test_an_item_deleted_since_is_still_explained_where_it_was_shown(house: House) -> None:
    slate, order = await house.serve(asking("ada", k=5)), await ranking(house)
    for item_id in (order[0], order[10]):
        await house.rooms.catalogue.delete(ItemId(item_id))
    assert (await house.explain(slate, order[0])).verdict == "shown"
    assert (await house.explain(slate, order[10])).verdict == "not_served"


async def test_events_after_the_slate_do_not_change_why_it_was_so(house: House) -> None:
    slate = await house.serve(asking("ada", k=5))
    before = await house.explain(slate, ids(slate)[0])
    later = datetime(2024, 6, 4, tzinfo=UTC)
    await house.rooms.histories.append([event(50, "ada", ids(slate)[0], at=later), event(51, "ada", "i20", at=later)])
    after = await house.explain(slate, ids(slate)[0])
    assert (after.score, after.evidence, after.reproduced) == (pytest.approx(before.score), before.evidence, True)


async def test_an_edit_since_is_owned_up_to(house: House) -> None:
    slate = await house.serve(asking("ada", k=5))
    await house.rooms.editor.edit(ADA, [InterestChange(EditOperation.MORE, "western")])
    assert not (await house.explain(slate, ids(slate)[0])).reproduced


async def test_the_context_is_told_as_the_rank_with_an_open_gate(house: House) -> None:
    slate = await house.serve(asking("ada", k=5))
    told = await house.explain(slate, ids(slate)[2])
    intent = await house.rooms.intents().read(asking("ada"))
    query = house.rooms.scorer.query(intent.interests, asking().context, intent.last_event_at_s)
    opened = np.hstack([intent.interests, query.gated[:, intent.interests.shape[1] :]])
    scores = (house.rooms.catalogue.index.gather(np.arange(60)) @ opened.T).max(axis=1)
    slot = house.rooms.catalogue.find_slot(ItemId(ids(slate)[2]))
    assert told.context.open_score == pytest.approx(float(scores[slot]), abs=1e-4)
    assert told.context.part == pytest.approx(told.score - told.context.open_score, abs=1e-3)


def test_a_context_that_makes_no_difference_is_told_as_none() -> None:
    assert tell_without_context(4, 2, "weekend evening").endswith("would rank 4th, not 2nd as on a weekend evening")
    assert tell_without_context(1, 1, "weekend evening").endswith("would rank 1st too")


async def test_nobody_and_strangers_by_words_are_explained_too(house: House) -> None:
    for request in (asking(), asking(words="slow western")):
        slate = await house.serve(request)
        told = await house.explain(slate, ids(slate)[0])
        assert (told.verdict, told.rank, told.evidence, told.phrases) == ("shown", 1, (), ())


async def test_what_nobody_remembers_or_holds_is_refused(house: House) -> None:
    slate = await house.serve(asking("ada"))
    with pytest.raises(UnknownSlate):
        await house.places.explain("no-such-slate", ItemId("i3"))
    with pytest.raises(UnknownItem):
        await house.explain(slate, "no-such-item")
