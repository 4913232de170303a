"""What an event is worth by all that it tells."""

from app.domain import Event
from app.history.weights import event_weight


def weigh(event: Event) -> float:
    """`event_weight` of its type, value, dwell and completion: -1 to 1."""
    return event_weight(event.type, event.value, event.dwell_s, event.completion)
