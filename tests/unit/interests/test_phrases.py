import dataclasses

import numpy as np
import pytest
from tiny import event
from tiny_rooms import FullEncoder, Rooms

from app.domain import FloatArray, UserId
from app.errors import Overloaded, UnknownUser
from app.interests.encoder import read_events
from app.interests.phrases import PHRASES_OF_ITEM, InterestReader, Phrasebook
from app.trained import Trained

ADA = UserId("ada")


def book(trained: Trained, labels: list[str], vectors: list[list[float]], baseline: list[float]) -> Phrasebook:
    told = dataclasses.replace(trained, phrases=tuple(labels), phrase_baseline=np.array(baseline, dtype=np.float32))
    return Phrasebook(told, np.array(vectors, dtype=np.float32).reshape(len(labels), -1))


def vector(*numbers: float) -> FloatArray:
    return np.array(numbers, dtype=np.float32)


def test_a_phrase_is_scored_by_how_much_more_than_usual_it_is_wanted(tiny_trained: Trained) -> None:
    """drama scores 2 with everybody and 3 here: 1 more. space 0 and 2: 2 more."""
    phrases = book(tiny_trained, ["drama", "space"], [[1, 0], [0, 1]], [2, 0])
    assert phrases.score(vector(3, 2)[None]).tolist() == [[1, 2]]
    assert phrases.label_interests(vector(3, 2)[None]) == [("space", "drama")]


def test_an_interest_has_three_phrases_at_most_and_ties_stay_in_order(tiny_trained: Trained) -> None:
    phrases = book(tiny_trained, list("abcd"), [[1], [1], [2], [1]], [0] * 4)
    assert phrases.label_interests(vector(1)[None]) == [("c", "a", "b")]


def test_without_phrases_an_interest_has_no_name(tiny_trained: Trained) -> None:
    phrases = Phrasebook(
        dataclasses.replace(tiny_trained, phrases=(), phrase_baseline=np.empty(0, np.float32)), np.empty((0, 2))
    )
    assert phrases.label_interests(np.ones((2, 2), dtype=np.float32)) == [(), ()]
    assert phrases.name_match(vector(1, 1), vector(1, 1)) is None


def test_a_match_is_true_of_the_item_and_wanted(tiny_trained: Trained) -> None:
    """The eight phrases closest to the item are along its axis; what is wanted most of all is along the other."""
    vectors = [[0.0, 1.0], *([n / 10, 0.1 * n] for n in range(1, PHRASES_OF_ITEM + 1))]
    labels = ["wanted elsewhere", *(f"of the item {n}" for n in range(1, PHRASES_OF_ITEM + 1))]
    phrases = book(tiny_trained, labels, vectors, [0.0] * len(labels))
    assert phrases.name_match(vector(0, 1), vector(1, 0)) == f"of the item {PHRASES_OF_ITEM}"


def test_what_is_wanted_no_more_than_usual_is_no_match(tiny_trained: Trained) -> None:
    phrases = book(tiny_trained, ["drama"], [[1, 0]], [3])
    assert phrases.name_match(vector(3, 0), vector(1, 0)) is None
    assert phrases.name_match(vector(3.5, 0), vector(1, 0)) == "drama"


@pytest.fixture
def phrasebook(rooms: Rooms) -> Phrasebook:
    return Phrasebook(rooms.trained, rooms.texts.place(rooms.trained.phrase_text))


def reader(rooms: Rooms, phrasebook: Phrasebook, encoder: object = None) -> InterestReader:
    profiles = rooms.profiles(encoder=encoder)
    return InterestReader(rooms.histories, profiles, rooms.catalogue, phrasebook, history_events=12)


@pytest.mark.anyio
async def test_a_user_without_events_is_unknown(rooms: Rooms, phrasebook: Phrasebook) -> None:
    with pytest.raises(UnknownUser, match=r"'ada'.*POST /v1/events"):
        await reader(rooms, phrasebook).describe(ADA)


@pytest.mark.anyio
async def test_interests_come_strongest_first_under_names_of_their_own(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])])
    interests = await reader(rooms, phrasebook).describe(ADA)
    weights = [interest.weight for interest in interests]
    labels = [interest.label for interest in interests]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1.0)
    assert len(set(labels)) == len(labels)
    assert set(labels) <= set(rooms.trained.phrases)
    assert all(interest.phrases[0] == interest.label for interest in interests)


@pytest.mark.anyio
async def test_evidence_is_measured_by_leaving_the_event_out(rooms: Rooms, phrasebook: Phrasebook) -> None:
    told = [event(n, "ada", f"i{item}") for n, item in enumerate([3, 4, 33, 34, 35, 50])]
    await rooms.histories.append(told)
    interests = await reader(rooms, phrasebook).describe(ADA)
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
        assert each.title == rooms.trained.items[int(each.item_id[1:])].title
    assert all(len(interest.evidence) <= 3 for interest in interests)


@pytest.mark.anyio
async def test_a_history_of_one_event_has_interests_and_no_evidence(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(0, "ada", "i3")])
    interests = await reader(rooms, phrasebook).describe(ADA)
    assert sum(interest.weight for interest in interests) == pytest.approx(1.0)
    assert all(interest.evidence == () for interest in interests)


@pytest.mark.anyio
async def test_a_user_of_items_we_never_held_has_no_interests(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(0, "ada", "nowhere")])
    assert await reader(rooms, phrasebook).describe(ADA) == []


@pytest.mark.anyio
async def test_an_encoder_that_cannot_is_overload_and_no_empty_list(rooms: Rooms, phrasebook: Phrasebook) -> None:
    await rooms.histories.append([event(0, "ada", "i3")])
    with pytest.raises(Overloaded):
        await reader(rooms, phrasebook, encoder=FullEncoder()).describe(ADA)


@pytest.mark.anyio
async def test_without_phrases_interests_are_numbered(rooms: Rooms) -> None:
    bare = dataclasses.replace(rooms.trained, phrases=(), phrase_baseline=np.empty(0, dtype=np.float32))
    await rooms.histories.append([event(n, "ada", f"i{n}") for n in range(4)])
    interests = await reader(rooms, Phrasebook(bare, np.empty((0, 24), dtype=np.float32))).describe(ADA)
    assert {interest.label for interest in interests} <= {"interest 1", "interest 2"}
    assert all(interest.phrases == interest.evidence == () for interest in interests)
