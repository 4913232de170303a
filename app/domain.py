"""The nouns of Penchant. Frozen facts, no I/O, no behaviour beyond what a fact can tell of itself.

Words have one meaning each (see `docs/guide/vocabulary.md`): `item_id` is the client's string; an item's place in a
matrix is a *row* (`item_row` in a bundle) or a *slot* (in the served index, which also holds items newer than the
bundle). Times are aware UTC datetimes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

import numpy as np
import numpy.typing as npt

ItemId = NewType("ItemId", str)
UserId = NewType("UserId", str)
EventId = NewType("EventId", str)

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

JsonScalar = str | int | float | bool | None
Properties = Mapping[str, JsonScalar | list[JsonScalar]]


@dataclass(frozen=True, slots=True)
class Item:
    """What can be recommended. `title` is never empty; text is plain (HTML entities already resolved).

    hidden: kept, and read in histories, but in no slate until it is shown again.
    """

    item_id: ItemId
    title: str
    categories: tuple[str, ...] = ()
    description: str = ""
    properties: Properties = field(default_factory=dict)
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """What a user did with an item, when: a fact, never changed.

    `type` is a word of the client's ("view", "like", "rating"); `value` its size where it has one (a rating of 4.0).
    What both are worth is told once, in `app.history.weights`. slate_id: the slate it followed from, where known.
    dwell_s, completion: for how long, and to what share (0 to 1), the item was taken in, where told. features: of the
    context in which it happened, as the client told them.
    """

    event_id: EventId
    user_id: UserId
    item_id: ItemId
    type: str
    at: datetime
    value: float | None = None
    slate_id: str | None = None
    dwell_s: float | None = None
    completion: float | None = None
    features: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """A user's last events, oldest first, and how far they reach.

    `watermark` grows with every event stored for the user (0: none yet), so two histories with the same watermark are
    the same history: that is what cached interest vectors are checked against.
    """

    events: tuple[Event, ...]
    watermark: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What is true of the *request*: its time and the declared features (device, place, company ...). Never history."""

    at: datetime
    features: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InterestVectors:
    """K points in the one space, valid for one bundle only.

    vectors: (K, D) float32, before the context gate. K is 0 for a user of whom nothing is known.
    watermark: `History.watermark` of the events that were read. encoded_at: when.
    last_event_at: time of the newest event read, None when there was none (the gate needs the gap to the request).
    """

    vectors: FloatArray
    watermark: int
    encoded_at: datetime
    last_event_at: datetime | None = None


class EditOperation(StrEnum):
    """What a user says of a phrase. RESET takes back what was said of it, or of all where it names none."""

    MORE = "more"
    LESS = "less"
    NEVER = "never"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class InterestChange:
    """One operation to carry out. phrase: "" only with RESET, which then takes back everything."""

    operation: EditOperation
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class InterestEdit:
    """What a user last said of a phrase. operation: any but RESET.

    text: (T,) float32, the phrase's text vector, made by the bundle `version`.
    """

    operation: EditOperation
    phrase: str
    at: datetime
    text: FloatArray
    version: str


class Source(StrEnum):
    """Where a candidate came from. A source that is plugged in has a name of its own."""

    INTERESTS = "interests"
    WORDS = "words"
    STEER = "steer"
    POPULAR = "popular"
    COVISITED = "covisited"
    SIMILAR_USERS = "similar_users"
    TRENDING = "trending"
    FRESH = "fresh"
    COLD = "cold"
    PINNED = "pinned"
    SPONSORED = "sponsored"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Items proposed for one request, each once. slots: (C,) int64. sources[i]: who proposed slot i, never empty."""

    slots: IntArray
    sources: tuple[tuple[str, ...], ...]


PART_NAMES = ("text", "id", "context", "prior", "trend", "rules")
"""What a score is the sum of, in the order of the columns of `Scores.parts`."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of C candidates, in the candidates' order; comparable within one request only.

    total: (C,) float64, the exact sum of each row of parts: (C, len(PART_NAMES)) float32.
    interest: (C,) int64, the interest vector that won the maximum; -1 where there was none.
    """

    total: DoubleArray
    parts: FloatArray
    interest: IntArray


class Seen(StrEnum):
    """What to do with items the user has already had an event on."""

    NEVER = "never"
    ALWAYS = "always"


class Profiling(StrEnum):
    """What may be known of whoever asks: nothing, what the request tells, or what is stored of them too."""

    NONE = "none"
    SESSION = "session"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class SeenWindow:
    """Do not show items of recent events: of these types (None: any), at most so many seconds old (None: ever)."""

    within_s: float | None = None
    types: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Boost:
    """Raise or lower the items a filter holds for, by way of the score's `rules` part.

    factor: above 0; multiplies a score above zero and divides one below, so above 1 always raises. add: is added after.
    """

    filter: str
    factor: float = 1.0
    add: float = 0.0


class Rung(StrEnum):
    """How the interest vectors of an answer came about, best first. Every answer names its rung."""

    FRESH = "fresh"
    CACHED = "cached"
    STALE = "stale"
    POPULAR = "popular"


class Likeness(StrEnum):
    """What two items are compared by: what is written of them, what users do with them, or both in equal parts."""

    TEXT = "text"
    BEHAVIOUR = "behaviour"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is in a slate: a kind, a sentence, and the evidence that truly took part in the choice."""

    kind: str
    text: str
    evidence: Mapping[str, JsonScalar | list[JsonScalar]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SlateItem:
    """One place of a slate.

    propensity: probability, above 0, with which this item came to stand at this place; 1 where nothing was left to
    chance. rules: what put it there besides its merit: pinned, sponsored, explored. label: what must be shown with it.
    """

    item: Item
    score: float
    parts: Mapping[str, float]
    sources: tuple[str, ...]
    interest: int
    reasons: tuple[Reason, ...] = ()
    propensity: float = 1.0
    rules: tuple[str, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class ServedBy:
    """How an answer was made: which bundle and rung, what was degraded and why, how long each stage took.

    profile_age_s: seconds since the interest vectors were encoded; None when none were used.
    took_ms: stage name to milliseconds. unknown_items: ids of the request's history that the catalogue does not hold.
    warnings: what the caller may not expect, such as a slate shorter than k, as stable words.
    arm: "experiment/arm", None where none took part.
    """

    bundle: str
    rung: Rung
    profile_age_s: float | None
    degraded: tuple[str, ...]
    took_ms: Mapping[str, float]
    unknown_items: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    arm: str | None = None


@dataclass(frozen=True, slots=True)
class Slate:
    """The ordered list answered together. return_properties: names of the items' to answer with, None for all.

    has_next: whether it is remembered and full, so that there may be a next page.
    """

    slate_id: str
    items: tuple[SlateItem, ...]
    served_by: ServedBy
    return_properties: tuple[str, ...] | None = None
    has_next: bool = False


@dataclass(frozen=True, slots=True)
class SlateRequest:
    """Who is asking and for what: a stored user, events told in the request, words, any mix of them, or nobody.

    history: events of this request alone, oldest first; they are read after the stored ones and never stored.
    k: 1 to 500; 0 leaves it to the placement, or to the default of 20. exclude: item ids that must not appear.
    filter: what holds for every item shown, "" for no filter, in the language of `app.filtering.expression`.
    min_relevance: leave out items less relevant, see `app.scoring.relevance`; None: none. return_properties: names to
    answer with, None for all. deadline_ms: for the whole answer; None: none. profiling: already followed, see
    `with_profiling`. placement: the surface it is for. diversity, novelty, exploration: 0 to 1; None leaves them to the
    placement.
    session_id: of the visit; it keeps somebody unknown in one arm of an experiment. arm: "experiment/arm" where one
    serves it. unseen: answered for comparison only, and not remembered.
    steer: a sentence that pulls the answer towards what it names and away from what it refuses, by `steer_weight`: 0
    not at all, 1 all of it.
    """

    context: Context
    k: int
    user_id: UserId | None = None
    history: tuple[Event, ...] = ()
    words: str = ""
    steer: str = ""
    steer_weight: float = 0.5
    exclude: frozenset[ItemId] = frozenset()
    seen: Seen | SeenWindow = Seen.NEVER
    filter: str = ""
    boosts: tuple[Boost, ...] = ()
    min_relevance: float | None = None
    return_properties: tuple[str, ...] | None = None
    deadline_ms: int | None = None
    profiling: Profiling = Profiling.FULL
    explain: bool = False
    placement: str | None = None
    diversity: float | None = None
    novelty: float | None = None
    exploration: float | None = None
    session_id: str | None = None
    arm: str | None = None
    unseen: bool = False

    def with_profiling(self, profiling: Profiling) -> "SlateRequest":
        """The same without what must not be known: what is not in the request no stage can read or keep."""
        if profiling is Profiling.FULL:
            return self
        told = () if profiling is Profiling.NONE else self.history
        nobody = UserId("")
        history = tuple(replace(event, user_id=nobody) for event in told)
        session_id = None if profiling is Profiling.NONE else self.session_id
        return replace(self, user_id=None, session_id=session_id, history=history, profiling=profiling)


@dataclass(frozen=True, slots=True)
class RequestCheck:
    """What a request would come to, found without answering it.

    n_eligible: items that may appear. n_boosted: for each boost, how many of those it holds for. unknown_items: of the
    history and the exclusions. unknown_properties: names in filters that no item has.
    """

    n_eligible: int
    n_boosted: tuple[int, ...]
    unknown_items: tuple[ItemId, ...]
    unknown_properties: tuple[str, ...]
