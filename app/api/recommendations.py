"""`POST /v1/recommendations`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from app import telemetry
from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.recommendations import RecommendationRequest
from app.api.schemas.slates import SlateAnswer

router = APIRouter(prefix="/v1/recommendations", tags=["recommendations"])

EXAMPLES: Examples = {
    "known user": {
        "summary": "A user whose events are stored",
        "value": {"user_id": "1", "k": 5},
    },
    "anonymous history": {
        "summary": "Somebody unknown, with what they did in this visit",
        "value": {"history": [{"item_id": "50", "type": "like"}, {"item_id": "172", "type": "like"}], "k": 5},
    },
    "words": {
        "summary": "A stranger who says what they want",
        "value": {"words": "slow-burn science fiction, no gore", "k": 5},
    },
    "nobody": {
        "summary": "Nobody: what is popular in this context",
        "value": {"context": {"at": "2025-06-06T20:30:00Z"}, "k": 5},
    },
    "everything": {
        "summary": "All of it, explained",
        "value": {
            "user_id": "1",
            "history": [{"item_id": "50", "type": "rating", "value": 5, "at": "2025-06-06T20:10:00Z"}],
            "words": "something light for tonight",
            "context": {"at": "2025-06-06T20:30:00Z", "device": "tv"},
            "k": 10,
            "exclude": ["181"],
            "seen": "never",
            "explain": True,
        },
    },
}


@router.post("", summary="Ask for a slate")
async def recommend(
    request: Annotated[RecommendationRequest, Body(openapi_examples=EXAMPLES)], resources: OpenResources
) -> SlateAnswer:
    """The k items to show, best first, with why and how they were chosen.

    It always answers: when something is slow or down, from a lower rung, and `served_by` says which and why.
    """
    slate = await resources.recommender.recommend(request.to_domain(datetime.now(UTC)))
    telemetry.count_slate(slate.served_by)
    return SlateAnswer.from_domain(slate)
