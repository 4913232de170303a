"""What an event is worth: one rule, read by cleaning, training and serving alike.

A weight lies in [-1, 1]. 1 is the clearest liking we know of, 0.2 a glance, below 0 a refusal. The encoder reads the
weight of every event; only events with a weight above 0 are ever something to predict.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

RATING = "rating"
IMPRESSION, SEARCH = "impression", "search"
OBSERVED = frozenset({IMPRESSION, SEARCH})
"""Types that are kept beside the history: what was shown, and what was looked for, tells of no item that was taken."""

LEAST_WEIGHT = 0.1
"""Of something taken in for no time at all, and of a rating of 1: it was chosen, after all."""
HALF_DWELL_S = 60.0
"""Seconds that count like half of an item, where nobody told how long it is."""
FADED = 0.1
"""A refusal that has faded to this share of its weight is one no longer."""
S_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event and what it is worth.

    full_weight: where an event may tell how much of the item was taken in (completion, dwell_s), its weight for all of
    it; None where that does not change what it is worth. scale: the `value` that weighs 1, of a type whose value is a
    rating; None where it says nothing. half_life_days: after which an event counts half in what everybody likes, and a
    refusal is half forgiven; None: never. The user encoder reads the age of each event itself
    (docs/decisions/0032).
    """

    name: str
    weight: float
    full_weight: float | None = None
    scale: float | None = None
    half_life_days: float | None = None


_BUILT_IN = (
    EventType("view", 0.2, full_weight=0.5),
    EventType("click", 0.3),
    EventType("play", 0.5, full_weight=0.9),
    EventType("bookmark", 0.7),
    EventType("add_to_cart", 0.7),
    EventType("share", 0.8),
    EventType("purchase", 1.0),
    EventType("like", 1.0),
    EventType(RATING, 0.6, scale=5.0),
    EventType("dislike", -1.0),
    EventType("hide", -1.0),
    EventType(SEARCH, 0.0),
    EventType(IMPRESSION, 0.0),
)
UNKNOWN = EventType("", 0.3)
"""A type of the client's own that nobody configured: it counts like a click."""

_types = {known.name: known for known in _BUILT_IN}


def use_event_types(changes: Mapping[str, Mapping[str, float]]) -> None:
    """Change what types are worth, or add some, for this whole process: name -> fields of `EventType`.

    Called once, at the start, with the setting `event_types`: what training and serving read must be the same.
    """
    _types.clear()
    _types.update({known.name: known for known in _BUILT_IN})
    for name, fields in changes.items():
        _types[name] = replace(_types.get(name, UNKNOWN), name=name, **fields)


def event_types() -> tuple[EventType, ...]:
    """The types with a weight of their own, in the order of the table."""
    return tuple(_types.values())


def event_weight(
    event_type: str, value: float | None = None, dwell_s: float | None = None, completion: float | None = None
) -> float:
    """Weight of one event.

    `value` counts for a type with a scale, as a rating: value / scale held to [0.1, 1], since a rating of 1 of 5 still
    says that the item was chosen. completion: share of the item taken in, 0 to 1; dwell_s: for how long, which counts
    where there is no completion, half of the way at 60 s. A type we do not know counts like a click.
    """
    known = _types.get(event_type, UNKNOWN)
    if known.scale is not None and value is not None:
        return min(1.0, max(LEAST_WEIGHT, value / known.scale))
    share = completion if completion is not None else None if dwell_s is None else dwell_s / (dwell_s + HALF_DWELL_S)
    if known.full_weight is None or share is None:
        return known.weight
    return LEAST_WEIGHT + (known.full_weight - LEAST_WEIGHT) * share


def is_off_scale(event_type: str, value: float | None) -> bool:
    """Whether a rating lies outside 0 to its type's scale, and so is worth no more than the end that it is beyond."""
    scale = _types.get(event_type, UNKNOWN).scale
    return scale is not None and value is not None and not 0 <= value <= scale


def half_life_s(event_type: str) -> float:
    """Seconds after which an event of this type counts half; infinite where it is never forgotten."""
    days = _types.get(event_type, UNKNOWN).half_life_days
    return math.inf if days is None else days * S_PER_DAY


def is_refusal(event_type: str) -> bool:
    """Whether an event of this type says that the item is not wanted again."""
    return _types.get(event_type, UNKNOWN).weight < 0


def holds_refusal(event_type: str, age_s: float) -> bool:
    """Whether a refusal of this age still stands: without a half-life always, else for 3.3 of them; False for a type
    that is no refusal."""
    return is_refusal(event_type) and float(2.0 ** (-max(age_s, 0.0) / half_life_s(event_type))) > FADED


LIFTING_WEIGHT = 0.6


def lifts_refusal(event_type: str) -> bool:
    """Whether a later event of this type takes a refusal back: a like or a purchase does, a glance does not."""
    return _types.get(event_type, UNKNOWN).weight >= LIFTING_WEIGHT


def refusing_types() -> tuple[str, ...]:
    return tuple(name for name in _types if is_refusal(name))


def lifting_types() -> tuple[str, ...]:
    return tuple(name for name in _types if lifts_refusal(name))
