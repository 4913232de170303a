import dataclasses

import numpy as np
import pytest
from tiny import event
from tiny_rooms import FullEncoder, Rooms

from app.domain import EditOperation, InterestChange, UserId
from app.errors import Overloaded, UnknownUser
from app.interests.encoder import read_events
from app.interests.phrases import Phrasebook
from app.interests.reader import Interest, InterestReader

pytestmark = pytest.mark.anyio

ADA = UserId("ada")


@pytest.fixture
def phrasebook(rooms: Rooms) -> Phrasebook:
    return rooms.phrasebook()


def reader(rooms: Rooms, phrasebook: Phrasebook, encoder: object = None) -> InterestReader:
    profiles = rooms.profiles(encoder=encoder)
    return InterestReader(rooms.histories, profiles, rooms.catalogue, phrasebook, rooms.editor, history_events=12)


async def interests_of(rooms: Rooms, phrasebook: Phrasebook) -> tuple[Interest, ...]:
    return (await reader(rooms, phrasebook).describe(ADA)).interests


async def test_a_user_without_events_is_unknown(rooms: Rooms, phrasebook: Phrasebook) -> None:
    with pytest.raises(UnknownUser, match=r"'ada'.*POST /v1/events"):
        await reader(rooms, phrasebook).describe(ADA)


async def test_interests_come_strongest_first_under_names_of_their_own(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])])
    interests = await interests_of(rooms, phrasebook)
    weights = [interest.weight for interest in interests]
    labels = [interest.label for interest in interests]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1.0)
    assert len(set(labels)) == len(labels)
    assert set(labels) <= set(rooms.trained.phrases)
    assert all(interest.phrases[0] == interest.label for interest in interests)


async def test_evidence_is_measured_by_leaving_the_event_out(rooms: Rooms, phrasebook: Phrasebook) -> None:
    told = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])]
    await rooms.histories.append(told)
    interests = await interests_of(rooms, phrasebook)
    reading, events = read_events(told, rooms.catalogue)
    assert reading is not None
    whole = await rooms.encoder.ask(reading)
    labels = np.array([names[0] for names in phrasebook.label_interests(whole)])
    evidence = [(interest, each) for interest in interests for each in interest.evidence]
    assert evidence
    for interest, each in evidence:
        phrase = rooms.trained.phrases.index(interest.label)
        place = [one.event_id for one in events].index(each.event_id)
        without = await rooms.encoder.ask(reading.without(place))
        falls = (phrasebook.score(whole) - phrasebook.score(without))[labels == interest.label, phrase]
        assert np.abs(falls - each.effect).min() < 1e-4  # two interests of one name are told of as one
        assert each.effect > 0
        assert each.at == events[place].at
        assert each.title == rooms.trained.items[int(each.item_id[1:])].title
    assert all(len(interest.evidence) <= 3 for interest in interests)


async def test_a_history_of_one_event_has_interests_and_no_evidence(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(0, "ada", "i3")])
    interests = await interests_of(rooms, phrasebook)
    assert sum(interest.weight for interest in interests) == pytest.approx(1.0)
    assert all(interest.evidence == () for interest in interests)


async def test_a_user_of_items_we_never_held_has_no_interests(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(0, "ada", "nowhere")])
    assert await interests_of(rooms, phrasebook) == ()


async def test_an_encoder_that_cannot_is_overload_and_no_empty_list(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(0, "ada", "i3")])
    with pytest.raises(Overloaded):
        await reader(rooms, phrasebook, encoder=FullEncoder()).describe(ADA)


async def test_without_phrases_interests_are_numbered(rooms: Rooms) -> None:
    bare = dataclasses.replace(rooms.trained, phrases=(), phrase_baseline=np.empty(0, dtype=np.float32))
    await rooms.histories.append([event(n, "ada", f"i{n}") for n in range(4)])
    interests = await interests_of(rooms, Phrasebook(bare, np.empty((0, rooms.scorer.dim), dtype=np.float32)))
    assert {interest.label for interest in interests} <= {"interest 1", "interest 2"}
    assert all(interest.phrases == interest.evidence == () for interest in interests)


async def test_an_interest_was_last_seen_with_the_newest_event_that_it_explains(
    rooms: Rooms, phrasebook: Phrasebook
) -> None:
    told = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])]
    await rooms.histories.append(told)
    interests = await interests_of(rooms, phrasebook)
    seen = [interest.last_seen_at for interest in interests if interest.weight > 0]
    assert max(at for at in seen if at) == told[-1].at
    assert all(at in {each.at for each in told} for at in seen)
    assert all(interest.confidence is not None and 0 <= interest.confidence <= 1 for interest in interests)


@pytest.mark.parametrize(("event_type", "polarity"), [("like", "positive"), ("dislike", "negative")])
async def test_an_interest_of_refusals_is_a_negative_one(
    rooms: Rooms, phrasebook: Phrasebook, event_type: str, polarity: str
) -> None:
    await rooms.histories.append([event(n, "ada", f"i{n}", event_type) for n in range(4)])
    explained = [interest for interest in await interests_of(rooms, phrasebook) if interest.weight > 0]
    assert {interest.polarity for interest in explained} == {polarity}


async def test_what_the_user_says_of_a_label_is_told_beside_it(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(n, "ada", f"i{n}") for n in range(4)])
    label = (await interests_of(rooms, phrasebook))[0].label
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.LESS, label.upper())])
    readable = await reader(rooms, phrasebook).describe(ADA)
    edited = next(interest for interest in readable.interests if interest.label == label)
    assert (edited.edit, edited.polarity) == (EditOperation.LESS, "negative")
    assert [(edit.operation, edit.phrase) for edit, _ in readable.edits] == [(EditOperation.LESS, label.upper())]


async def test_a_user_who_only_said_things_is_known_by_them(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.editor.edit(ADA, [InterestChange(EditOperation.NEVER, "western")])
    readable = await reader(rooms, phrasebook).describe(ADA)
    assert readable.interests == ()
    assert [(edit.phrase, removed) for edit, removed in readable.edits] == [("western", 10)]
