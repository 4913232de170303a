"""What an event is worth: one rule, read by cleaning, training and serving alike.

A weight lies in [-1, 1]. 1 is the clearest liking we know of, 0.2 a glance, below 0 a refusal. The encoder reads the
weight of every event; only events with a weight above 0 are ever something to predict.
"""

RATING_SCALE = 5.0

TYPE_WEIGHTS = {
    "view": 0.2,
    "click": 0.3,
    "play": 0.5,
    "bookmark": 0.7,
    "add_to_cart": 0.7,
    "share": 0.8,
    "purchase": 1.0,
    "like": 1.0,
    "dislike": -1.0,
    "hide": -1.0,
}
UNKNOWN_TYPE_WEIGHT = 0.3


def event_weight(event_type: str, value: float | None = None) -> float:
    """Weight of one event.

    A "rating" is worth value / 5 held to [0.1, 1]: a rating of 1 still says that the item was chosen. `value` of any
    other type is ignored. A type we do not know counts like a click.
    """
    if event_type == "rating" and value is not None:
        return min(1.0, max(0.1, value / RATING_SCALE))
    return TYPE_WEIGHTS.get(event_type, UNKNOWN_TYPE_WEIGHT)
