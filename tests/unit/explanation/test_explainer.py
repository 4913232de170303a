from dataclasses import replace

import pytest
from tiny import event
from tiny_rooms import FullEncoder, Rooms, asking

from app.domain import Reason, Rung, Slate, SlateRequest, UserId
from app.explanation.explainer import EVENTS_TRIED, Explainer
from app.filtering.eligibility import Eligibility
from app.filtering.masks import FilterMasks
from app.interests.encoder import read_events
from app.interests.intent import rows_of
from app.interests.profiles import Profiles
from app.placements.composer import Composer
from app.recommender import Recommender
from app.slates.store import SlateStore

pytestmark = pytest.mark.anyio

WATCHED = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])]


def recommender(rooms: Rooms, explaining: Profiles | None = None, profiles: Profiles | None = None) -> Recommender:
    """explaining: the profiles that evidence is measured with, where they are others than those that are served."""
    profiles = profiles or rooms.profiles()
    phrasebook = rooms.phrasebook()
    masks = FilterMasks(rooms.catalogue)
    return Recommender(
        rooms.version,
        rooms.surfaces(),
        rooms.intents(profiles),
        Eligibility(rooms.histories, rooms.catalogue, masks, rooms.never),
        masks,
        rooms.retriever(candidates=20),
        rooms.catalogue,
        rooms.scorer,
        Composer(rooms.catalogue, masks, rooms.trained.space.shape),
        Explainer(explaining or profiles, rooms.catalogue, rooms.scorer, phrasebook),
        SlateStore(rooms.database),
    )


def evidence(slate: Slate) -> list[Reason]:
    return [reason for place in slate.items for reason in place.reasons if reason.kind == "event"]


async def score_without(rooms: Rooms, request: SlateRequest, event_id: str, item_id: str) -> float:
    """What an item scores when one event is left out of the history, worked out by hand."""
    events = await rooms.profiles().events_of(request)
    reading, read = read_events(events, rooms.catalogue)
    assert reading is not None
    place = [each.event_id for each in read].index(event_id)
    interests = await rooms.encoder.ask(reading.without(place))
    whole = (await rooms.profiles().read(request)).vectors
    assert whole is not None
    interests = rows_of(interests, await rooms.spoken().read(request, whole.vectors))
    query = rooms.scorer.query(interests, request.context, int(events[-1].at.timestamp()))
    slots, _ = rooms.catalogue.find_served([item_id])
    return float(rooms.scorer.score(query, rooms.catalogue.index.gather(slots)).total[0])


@pytest.mark.parametrize("words", ["", "slow western"])
async def test_the_fall_told_is_the_fall_there_is(rooms: Rooms, words: str) -> None:
    await rooms.histories.append(WATCHED)
    request = asking("ada", words=words, explain=True)
    slate = await recommender(rooms).recommend(request)
    assert evidence(slate)
    for place in slate.items:
        for reason in place.reasons:
            if reason.kind == "event":
                left_out = await score_without(rooms, request, str(reason.evidence["event_id"]), place.item.item_id)
                assert reason.evidence["fall"] == pytest.approx(place.score - left_out, abs=1e-4)
                assert reason.text.endswith(f"{place.score - left_out:.2f} less")


async def test_the_reason_is_that_of_the_row_that_won(rooms: Rooms) -> None:
    """Of the history's rows 0 and 1, and of the words' row 2."""
    await rooms.histories.append(WATCHED)
    slate = await recommender(rooms).recommend(asking("ada", words="slow western", k=40))
    told = {(place.interest, place.reasons[0].kind) for place in slate.items}
    assert {kind for _, kind in told} == {"interest", "words"}
    assert told <= {(0, "interest"), (1, "interest"), (2, "words")}


async def test_explaining_never_changes_the_ranking(rooms: Rooms) -> None:
    await rooms.histories.append(WATCHED)
    plain, explained = [await recommender(rooms).recommend(asking("ada", explain=explain)) for explain in (False, True)]
    assert [(p.item, p.score, p.parts) for p in plain.items] == [(p.item, p.score, p.parts) for p in explained.items]
    assert evidence(plain) == []


async def test_every_item_has_a_reason_without_being_asked(rooms: Rooms) -> None:
    await rooms.histories.append(WATCHED)
    for request in (asking(), asking("ada"), asking(words="slow"), asking("ada", words="slow")):
        slate = await recommender(rooms).recommend(request)
        assert all(place.reasons for place in slate.items)


async def test_evidence_that_could_not_be_measured_is_told_of_and_the_slate_stands(rooms: Rooms) -> None:
    await rooms.histories.append(WATCHED)
    full = FullEncoder()
    slate = await recommender(rooms, rooms.profiles(encoder=full)).recommend(asking("ada", explain=True))
    assert full.asked > 0
    assert slate.served_by.degraded == ("evidence_not_measured",)
    assert len(slate.items) == 5
    assert evidence(slate) == []


async def test_stale_interests_are_not_compared_with_a_newer_history(rooms: Rooms) -> None:
    await rooms.histories.append(WATCHED[:3])
    await recommender(rooms).recommend(asking("ada"))
    await rooms.histories.append(WATCHED[3:])
    slate = await recommender(rooms, rooms.profiles(), rooms.profiles(encoder=FullEncoder())).recommend(
        asking("ada", explain=True)
    )
    assert slate.served_by.rung is Rung.STALE
    assert slate.served_by.degraded == ("encoder_overloaded", "evidence_not_measured")
    assert evidence(slate) == []


async def test_the_newest_events_are_tried(rooms: Rooms) -> None:
    await rooms.histories.append([event(n, "ada", f"i{n}") for n in range(20)])
    full = FullEncoder()
    await recommender(rooms, rooms.profiles(encoder=full)).recommend(asking("ada", explain=True))
    assert full.asked == EVENTS_TRIED


@pytest.mark.parametrize("request_of", [asking(explain=True), asking(words="slow", explain=True)])
async def test_without_a_history_there_is_no_evidence_to_measure(rooms: Rooms, request_of: SlateRequest) -> None:
    full = FullEncoder()
    slate = await recommender(rooms, rooms.profiles(encoder=full)).recommend(request_of)
    assert (full.asked, slate.served_by.degraded) == (0, ())


async def test_a_history_of_one_event_has_nothing_to_compare_with(rooms: Rooms) -> None:
    await rooms.histories.append(WATCHED[:1])
    slate = await recommender(rooms).recommend(asking("ada", explain=True))
    assert (evidence(slate), slate.served_by.degraded) == ([], ())


async def test_events_told_in_the_request_are_evidence_too(rooms: Rooms) -> None:
    told = [replace(each, user_id=UserId("")) for each in WATCHED]
    slate = await recommender(rooms).recommend(asking(history=told, explain=True))
    assert {reason.evidence["event_id"] for reason in evidence(slate)} <= {each.event_id for each in told}
    assert evidence(slate)
