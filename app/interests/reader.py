"""A user's interests for people to read: how strong each is, how sure, since when, which events made it, what they said
of it themselves.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import EditOperation, Event, FloatArray, IntArray, UserId
from app.errors import UnknownUser
from app.history.store import HistoryStore
from app.history.worth import weigh
from app.interests.editor import CountedEdit, InterestEditor
from app.interests.edits import phrase_key
from app.interests.encoder import Reading, read_events
from app.interests.phrases import Phrasebook
from app.interests.profiles import Profiles

EVIDENCE_EACH = 3
EVENTS_TRIED = 15  # newest events left out one at a time: 15 more encodes of a short history, in one or two batches
METHOD = "leave_one_out"


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event behind an interest. effect: how far the interest's score of its own label falls without the event."""

    event_id: str
    item_id: str
    title: str
    at: datetime
    effect: float


@dataclass(frozen=True, slots=True)
class Interest:
    """One interest, readable.

    weight: share of the user's recent events that it explains best, 0 to 1. polarity: "negative" where these events
    were refusals on the whole, or where the user asked for less of it. confidence: share of the re-readings, one event
    left out of each, in which its label stayed among its phrases; None where nothing could be left out. last_seen_at:
    of the newest event that it explains best. edit: what the user said of its label.
    """

    label: str
    phrases: tuple[str, ...]
    weight: float
    polarity: str
    confidence: float | None
    last_seen_at: datetime | None
    edit: EditOperation | None
    evidence: tuple[Evidence, ...]
    evidence_method: str = METHOD


@dataclass(frozen=True, slots=True)
class ReadableInterests:
    """Interests strongest first, and what the user said of phrases, oldest first."""

    interests: tuple[Interest, ...]
    edits: Sequence[CountedEdit]


@dataclass(frozen=True, slots=True)
class _Read:
    """whole: (K, D). without: place of an event to the (K, D) read without it. won: (H,) the interest of each event."""

    whole: FloatArray
    without: dict[int, FloatArray]
    events: tuple[Event, ...]
    won: IntArray


class InterestReader:
    """Describes users. Their interests are encoded anew, so that evidence belongs to the vectors it is told of."""

    def __init__(
        self,
        histories: HistoryStore,
        profiles: Profiles,
        catalogue: LiveCatalogue,
        phrasebook: Phrasebook,
        editor: InterestEditor,
        *,
        history_events: int,
    ) -> None:
        self._histories = histories
        self._profiles = profiles
        self._catalogue = catalogue
        self._phrasebook = phrasebook
        self._editor = editor
        self._history_events = history_events

    async def describe(self, user_id: UserId) -> ReadableInterests:
        """Interests with the same label are one. None where none of the user's items are known here.

        Raises UnknownUser for a user with neither events nor edits, Overloaded.
        """
        edits = await self._editor.told(user_id)
        history = await self._histories.last(user_id, self._history_events)
        if not history.events and not edits:
            raise UnknownUser(f"no event of user {user_id!r} is stored: send some to POST /v1/events first")
        reading, events = read_events(history.events, self._catalogue)
        if reading is None:
            return ReadableInterests((), edits)
        whole = await self._profiles.encode(reading)
        read = _Read(whole, await self._without_each(reading), events, self._winners(whole, events))
        return ReadableInterests(self._describe(read, edits), edits)

    def _describe(self, read: _Read, edits: Sequence[CountedEdit]) -> tuple[Interest, ...]:
        said = {phrase_key(edit.phrase): edit.operation for edit, _ in edits}
        by_label: dict[str, list[int]] = {}
        for k, phrases in enumerate(self._phrasebook.label_interests(read.whole)):
            by_label.setdefault(phrases[0] if phrases else f"interest {k + 1}", []).append(k)
        told = [self._tell(label, rows, read, said.get(phrase_key(label))) for label, rows in by_label.items()]
        return tuple(sorted(told, key=lambda interest: -interest.weight))

    def _tell(self, label: str, rows: list[int], read: _Read, edit: EditOperation | None) -> Interest:
        """rows: the interest vectors of this label. Phrases and evidence are those of the one that wins most events."""
        k = max(rows, key=lambda row: int((read.won == row).sum()))
        mine = [event for event, won in zip(read.events, read.won, strict=True) if won in rows]
        liked = sum(weigh(event) for event in mine)
        refused = liked < 0 if edit is None else edit is not EditOperation.MORE
        return Interest(
            label=label,
            phrases=self._phrasebook.label_interests(read.whole[k : k + 1])[0],
            weight=len(mine) / len(read.events),
            polarity="negative" if refused else "positive",
            confidence=self._confidence(label, k, read),
            last_seen_at=max((event.at for event in mine), default=None),
            edit=edit,
            evidence=self._evidence(label, k, read),
        )

    def _winners(self, interests: FloatArray, events: tuple[Event, ...]) -> IntArray:
        """(H,) the interest that scores each event's item highest."""
        slots = np.array([self._catalogue.find_slot(event.item_id) for event in events], dtype=np.int64)
        items = self._catalogue.index.gather(slots)[:, : interests.shape[1]]
        return (items @ interests.T).argmax(axis=1).astype(np.int64)

    async def _without_each(self, reading: Reading) -> dict[int, FloatArray]:
        """For the newest events; empty for a history of one."""
        n = len(reading.rows)
        places = range(max(0, n - EVENTS_TRIED), n) if n > 1 else range(0)
        encoded = await asyncio.gather(*(self._profiles.encode(reading.without(place)) for place in places))
        return dict(zip(places, encoded, strict=True))

    def _confidence(self, label: str, k: int, read: _Read) -> float | None:
        if not read.without or label not in self._phrasebook.labels:
            return None
        kept = [label in self._phrasebook.label_interests(other[k : k + 1])[0] for other in read.without.values()]
        return sum(kept) / len(kept)

    def _evidence(self, label: str, k: int, read: _Read) -> tuple[Evidence, ...]:
        """The events whose absence lowers the interest most; none whose absence raises it."""
        if label not in self._phrasebook.labels:
            return ()
        phrase = self._phrasebook.labels.index(label)

        def wants(interests: FloatArray) -> float:
            return float(self._phrasebook.score(interests[k : k + 1])[0, phrase])

        falls = {place: wants(read.whole) - wants(without) for place, without in read.without.items()}
        strongest = sorted((place for place, fall in falls.items() if fall > 0), key=lambda place: -falls[place])
        return tuple(self._show(read.events[place], falls[place]) for place in strongest[:EVIDENCE_EACH])

    def _show(self, event: Event, effect: float) -> Evidence:
        slot = self._catalogue.find_slot(event.item_id)
        title = event.item_id if slot is None else self._catalogue.item_at(slot).title
        return Evidence(event.event_id, event.item_id, title, event.at, effect)
