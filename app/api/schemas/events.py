"""`POST /v1/events`: what users did, and what became of it."""

from datetime import datetime

from pydantic import Field

from app import domain
from app.api.schemas.fields import EventTime, EventType, EventValue, Identifier, Wire


class EventIn(Wire):
    """What a user did with an item: a fact. Sent again with the same `event_id` it counts once."""

    event_id: Identifier = Field(description="Yours: unique for each event, the same in each retry of it.")
    user_id: Identifier = Field(description="Who. A user exists from their first event on.")
    item_id: Identifier = Field(description="The item. It need not be in the catalogue yet.")
    type: EventType
    at: EventTime | None = Field(
        None, description="When. Without an offset: UTC. At most a day ahead. Default: when it is received."
    )
    value: EventValue = None

    def to_domain(self, received_at: datetime) -> domain.Event:
        """received_at: the event's time where it tells none; its retry, received later, is then the same event."""
        return domain.Event(
            event_id=domain.EventId(self.event_id),
            user_id=domain.UserId(self.user_id),
            item_id=domain.ItemId(self.item_id),
            type=self.type,
            at=self.at or received_at,
            value=self.value,
        )


class EventBatch(Wire):
    events: tuple[EventIn, ...] = Field(min_length=1, max_length=1_000, description="1 to 1,000 events.")


class EventReceipt(Wire):
    """What became of the batch. Each event is in one of the three."""

    stored: int = Field(ge=0, description="Events that are on disk because of this call.")
    duplicates: int = Field(ge=0, description="Events that were stored before: retries, counted once.")
    conflicts: list[str] = Field(description="Ids that already stand for another event. Those events were refused.")
