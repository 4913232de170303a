"""`/v1/events`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from app import telemetry
from app.api.dependencies import OpenResources
from app.api.openapi import Examples, problem_responses
from app.api.schemas.events import EventBatch, EventReceipt, EventTypeAnswer, EventTypesAnswer
from app.errors import EventConflict
from app.history.weights import UNKNOWN, event_types, is_off_scale

router = APIRouter(prefix="/v1/events", tags=["events"])

MOST_NAMED = 10

EXAMPLES: Examples = {
    "like": {
        "summary": "User 1 liked an item just now",
        "value": {"events": [{"event_id": "demo-1", "user_id": "1", "item_id": "50", "type": "like"}]},
    },
    "ratings": {
        "summary": "Several, with times and values",
        "value": {
            "events": [
                {
                    "event_id": "demo-2",
                    "user_id": "1",
                    "item_id": "172",
                    "type": "rating",
                    "value": 5,
                    "at": "2025-06-06T20:10:00Z",
                },
                {
                    "event_id": "demo-3",
                    "user_id": "2",
                    "item_id": "181",
                    "type": "rating",
                    "value": 2.5,
                    "at": "2025-06-06T20:15:00+02:00",
                },
            ]
        },
    },
    "shown": {
        "summary": "What of a slate was on the screen, and the click that followed",
        "value": {
            "events": [
                {"event_id": "demo-4", "type": "impression", "slate_id": "6f1c2a90b7d3e845", "items": ["50", "172"]},
                {
                    "event_id": "demo-5",
                    "user_id": "1",
                    "item_id": "172",
                    "type": "click",
                    "slate_id": "6f1c2a90b7d3e845",
                },
            ]
        },
    },
    "taken": {
        "summary": "A film watched to four fifths on a phone, one that is not wanted, and a search",
        "value": {
            "events": [
                {
                    "event_id": "demo-6",
                    "user_id": "1",
                    "item_id": "181",
                    "type": "play",
                    "completion": 0.8,
                    "context": {"device": "phone"},
                },
                {"event_id": "demo-7", "user_id": "1", "item_id": "121", "type": "hide"},
                {"event_id": "demo-8", "user_id": "1", "type": "search", "words": "slow science fiction"},
            ]
        },
    },
}


@router.post("", summary="Tell what users did", responses=problem_responses(409))
async def record_events(
    batch: Annotated[EventBatch, Body(openapi_examples=EXAMPLES)], resources: OpenResources
) -> EventReceipt:
    """Answers once the events are on disk; a slate asked for after that reflects them.

    An event is known by its `event_id`: sent again it counts once, so a batch may be repeated without care. The same
    id with another content is a conflict: that event is refused and named, the others are stored. 409 when there is
    nothing but conflicts.

    A hidden or disliked item is in no slate of its user from the next one on. Impressions and searches are kept beside
    the history: they change no slate.
    """
    received_at = datetime.now(UTC)
    events, observations = batch.to_domain(received_at)
    result = await resources.histories.append(events, received_at, observations)
    telemetry.count_events_stored(len(result.stored))
    if len(result.conflicts) == len(batch.events):
        raise EventConflict(_name_conflicts(result.conflicts))
    return EventReceipt(
        stored=len(result.stored),
        duplicates=len(result.duplicates),
        conflicts=list(result.conflicts),
        off_scale=[event.event_id for event in events if is_off_scale(event.type, event.value)],
    )


@router.get("/types", summary="List the types of events and what they are worth")
async def list_event_types() -> EventTypesAnswer:
    """The setting `event_types` changes them. Training and serving read the same table."""
    return EventTypesAnswer(
        types=[EventTypeAnswer.from_domain(known) for known in event_types()],
        unknown=EventTypeAnswer.from_domain(UNKNOWN),
    )


def _name_conflicts(event_ids: tuple[str, ...]) -> str:
    named = ", ".join(event_ids[:MOST_NAMED]) + (", ..." if len(event_ids) > MOST_NAMED else "")
    return f"Every event was refused, since its id stands for another event: {named}. Give a new event a new id."
