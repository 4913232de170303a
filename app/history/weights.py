"""What an event is worth: one rule, read by cleaning, training and serving alike.

A weight lies in [-1, 1]. 1 is the clearest liking we know of, 0.2 a glance, below 0 a refusal. The encoder reads the
weight of every event; only events with a weight above 0 are ever something to predict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

RATING = "rating"
RATING_SCALE = 5.0
IMPRESSION, SEARCH = "impression", "search"
OBSERVED = frozenset({IMPRESSION, SEARCH})
"""Types that are kept beside the history: what was shown, and what was looked for, tells of no item that was taken."""

LEAST_WEIGHT = 0.1
"""Of something taken in for no time at all, and of a rating of 1: it was chosen, after all."""
HALF_DWELL_S = 60.0
"""Seconds that count like half of an item, where nobody told how long it is."""


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event and what it is worth.

    full_weight: where an event may tell how much of the item was taken in (completion, dwell_s), its weight for all of
    it; None where that does not change what it is worth. Nothing says how fast a type is forgotten: the user encoder
    reads the age of each event itself.
    """

    name: str
    weight: float
    full_weight: float | None = None


_BUILT_IN = (
    EventType("view", 0.2, full_weight=0.5),
    EventType("click", 0.3),
    EventType("play", 0.5, full_weight=0.9),
    EventType("bookmark", 0.7),
    EventType("add_to_cart", 0.7),
    EventType("share", 0.8),
    EventType("purchase", 1.0),
    EventType("like", 1.0),
    EventType(RATING, 0.6),
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

    A "rating" is worth value / 5 held to [0.1, 1]: a rating of 1 still says that the item was chosen. `value` of any
    other type is ignored. completion: share of the item taken in, 0 to 1; dwell_s: for how long, which counts where
    there is no completion, half of the way at 60 s. A type we do not know counts like a click.
    """
    if event_type == RATING and value is not None:
        return min(1.0, max(LEAST_WEIGHT, value / RATING_SCALE))
    known = _types.get(event_type, UNKNOWN)
    share = completion if completion is not None else None if dwell_s is None else dwell_s / (dwell_s + HALF_DWELL_S)
    if known.full_weight is None or share is None:
        return known.weight
    return LEAST_WEIGHT + (known.full_weight - LEAST_WEIGHT) * share


def is_refusal(event_type: str) -> bool:
    """Whether an event of this type says that the item is not wanted again."""
    return _types.get(event_type, UNKNOWN).weight < 0


LIFTING_WEIGHT = 0.6


def lifts_refusal(event_type: str) -> bool:
    """Whether a later event of this type takes a refusal back: a like or a purchase does, a glance does not."""
    return _types.get(event_type, UNKNOWN).weight >= LIFTING_WEIGHT


def refusing_types() -> tuple[str, ...]:
    return tuple(name for name in _types if is_refusal(name))


def lifting_types() -> tuple[str, ...]:
    return tuple(name for name in _types if lifts_refusal(name))
