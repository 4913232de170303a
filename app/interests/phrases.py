"""Interest vectors read as phrases: what each of a user's interests is about, how strong, and which events made it.

A phrase is a point in the same space as items, so the score of a phrase under an interest is a score like any other.
What every user scores high ("drama") says little of this one, so the mean over training users is taken off first.
"""

import asyncio
from dataclasses import dataclass

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import Event, FloatArray, UserId
from app.errors import UnknownUser
from app.history.store import HistoryStore
from app.interests.encoder import Reading, read_events
from app.interests.profiles import Profiles
from app.trained import Trained

PHRASES_EACH = 3
PHRASES_OF_ITEM = 8
EVIDENCE_EACH = 3
EVENTS_TRIED = 15  # newest events left out one at a time: 15 more encodes of a short history, in one or two batches


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event behind an interest. effect: how far the interest's score of its own label falls without the event."""

    event_id: str
    item_id: str
    title: str
    effect: float


@dataclass(frozen=True, slots=True)
class Interest:
    """One interest, readable. weight: share of the user's recent events that this interest explains best, 0 to 1."""

    label: str
    phrases: tuple[str, ...]
    weight: float
    evidence: tuple[Evidence, ...]


class Phrasebook:
    """The bundle's phrases as vectors of the one space."""

    def __init__(self, trained: Trained, vectors: FloatArray) -> None:
        self.labels = trained.phrases
        self._vectors = vectors  # (P, D)
        self._baseline = trained.phrase_baseline  # (P,)

    def score(self, interests: FloatArray) -> FloatArray:
        """(K, P): how much more each interest asks for each phrase than users do on average. interests: (K, D)."""
        return interests @ self._vectors.T - self._baseline

    def name_match(self, interest: FloatArray, item: FloatArray) -> str | None:
        """The phrase that an item and an interest have in common; None where they share none. Both (D,).

        Of the phrases closest to the item, the one the interest asks for most, if it asks for it more than users do on
        average: so the phrase is true of the item, and wanted.
        """
        if not self.labels:
            return None
        closest = np.argsort(-(self._vectors @ item), kind="stable")[:PHRASES_OF_ITEM]
        wanted = self.score(interest[None])[0, closest]
        best = int(wanted.argmax())
        return self.labels[closest[best]] if wanted[best] > 0 else None

    def label_interests(self, interests: FloatArray) -> list[tuple[str, ...]]:
        """For each of the K interests its best phrases, best first; empty tuples where a bundle has no phrases."""
        order = np.argsort(-self.score(interests), axis=1, kind="stable")[:, :PHRASES_EACH]
        return [tuple(self.labels[place] for place in row) for row in order]


class InterestReader:
    """Describes users for `GET /v1/users/{id}/interests`."""

    def __init__(
        self,
        histories: HistoryStore,
        profiles: Profiles,
        catalogue: LiveCatalogue,
        phrasebook: Phrasebook,
        *,
        history_events: int,
    ) -> None:
        self._histories = histories
        self._profiles = profiles
        self._catalogue = catalogue
        self._phrasebook = phrasebook
        self._history_events = history_events

    async def describe(self, user_id: UserId) -> list[Interest]:
        """The user's interests, strongest first; interests with the same label are one. Raises UnknownUser.

        Encoded anew, so that the evidence belongs to the vectors it is told of. Raises Overloaded.
        """
        history = await self._histories.last(user_id, self._history_events)
        if not history.events:
            raise UnknownUser(f"no event of user {user_id!r} is stored: send some to POST /v1/events first")
        reading, events = read_events(history.events, self._catalogue)
        if reading is None:
            return []
        whole = await self._profiles.encode(reading)
        without = await self._without_each(reading)
        return self._describe(whole, without, events, self._weights(whole, events))

    def _describe(
        self, whole: FloatArray, without: dict[int, FloatArray], events: tuple[Event, ...], weights: FloatArray
    ) -> list[Interest]:
        scores = self._phrasebook.score(whole)
        interests: dict[str, Interest] = {}
        for k in np.argsort(-weights, kind="stable"):
            phrases = self._phrasebook.label_interests(whole[k : k + 1])[0]
            label = phrases[0] if phrases else f"interest {k + 1}"
            if label in interests:
                known = interests[label]
                interests[label] = Interest(label, known.phrases, known.weight + float(weights[k]), known.evidence)
                continue
            place = int(scores[k].argmax()) if phrases else None
            effects = self._effects(scores[k], k, place, without)
            interests[label] = Interest(label, phrases, float(weights[k]), self._evidence(events, effects))
        return sorted(interests.values(), key=lambda interest: -interest.weight)

    def _weights(self, interests: FloatArray, events: tuple[Event, ...]) -> FloatArray:
        """(K,) share of the events whose item each interest scores highest."""
        slots = np.array([self._catalogue.find_slot(event.item_id) for event in events], dtype=np.int64)
        items = self._catalogue.index.gather(slots)[:, : interests.shape[1]]
        won = (items @ interests.T).argmax(axis=1)
        return (np.bincount(won, minlength=len(interests)) / len(events)).astype(np.float32)

    async def _without_each(self, reading: Reading) -> dict[int, FloatArray]:
        """Place of an event -> interests without it, for the newest events. Empty for a history of one event."""
        n = len(reading.rows)
        places = range(max(0, n - EVENTS_TRIED), n) if n > 1 else range(0)
        encoded = await asyncio.gather(*(self._profiles.encode(reading.without(place)) for place in places))
        return dict(zip(places, encoded, strict=True))

    def _effects(
        self, scores: FloatArray, k: int, phrase: int | None, without: dict[int, FloatArray]
    ) -> dict[int, float]:
        """Place of an event -> fall of interest k's score of `phrase` when it is left out."""
        if phrase is None:
            return {}
        return {
            place: float(scores[phrase] - self._phrasebook.score(interests)[k, phrase])
            for place, interests in without.items()
        }

    def _evidence(self, events: tuple[Event, ...], effects: dict[int, float]) -> tuple[Evidence, ...]:
        """The events whose absence lowers the interest most; none whose absence raises it."""
        told = sorted((place for place, effect in effects.items() if effect > 0), key=lambda place: -effects[place])
        return tuple(
            Evidence(events[p].event_id, events[p].item_id, self._title(events[p]), effects[p])
            for p in told[:EVIDENCE_EACH]
        )

    def _title(self, event: Event) -> str:
        slot = self._catalogue.find_slot(event.item_id)
        return "" if slot is None else self._catalogue.item_at(slot).title
