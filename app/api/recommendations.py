"""`POST /v1/recommendations`, its pages and its batches."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from app import telemetry
from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.fields import Identifier
from app.api.schemas.recommendations import BatchRequest, RecommendationRequest
from app.api.schemas.slates import BatchAnswer, CheckAnswer, SlateAnswer

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
    "steered": {
        "summary": "A known user, steered for this once",
        "value": {"user_id": "1", "steer": "shorter, less crime", "steer_weight": 0.6, "k": 5},
    },
    "nobody": {
        "summary": "Nobody: what is popular in this context",
        "value": {"context": {"at": "2025-06-06T20:30:00Z"}, "k": 5},
    },
    "rules": {
        "summary": "Older comedies only, those from the silver age first, nothing liked in the last month",
        "value": {
            "user_id": "1",
            "filter": 'categories has "Comedy" and year < 1996',
            "boost": [{"filter": "year >= 1950 and year < 1970", "factor": 2}, {"filter": "year < 1950", "add": -1}],
            "seen": {"within_s": 2_592_000, "types": ["like"]},
            "k": 5,
        },
    },
    "check": {
        "summary": "Is this filter right, and how much does it leave?",
        "value": {"filter": 'categories has "Western" and year < 1970', "validate_only": True},
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
            "filter": "year >= 1980",
            "boost": [{"filter": 'categories has "Comedy"', "factor": 1.2}],
            "min_relevance": 0.3,
            "return_properties": ["title", "year"],
            "deadline_ms": 500,
            "profiling": "full",
            "explain": True,
        },
    },
}


BATCH_EXAMPLES: Examples = {
    "start page": {
        "summary": "Three shelves of a start page, no film on two of them",
        "value": {
            "requests": [
                {"user_id": "1", "k": 3},
                {"user_id": "1", "k": 3, "filter": 'categories has "Comedy"'},
                {"k": 3, "filter": "year < 1960"},
            ]
        },
    },
}


@router.post("", summary="Ask for a slate")
async def recommend(
    request: Annotated[RecommendationRequest, Body(openapi_examples=EXAMPLES)], resources: OpenResources
) -> SlateAnswer | CheckAnswer:
    """The k items to show, best first, with why and how they were chosen.

    It always answers: when something is slow or down, from a lower rung, and `served_by` says which and why. With
    `validate_only` the answer is what the request would come to.
    """
    asked = request.to_domain(datetime.now(UTC))
    if request.validate_only:
        return CheckAnswer.from_domain(await resources.recommender.check(asked))
    slate = await resources.recommender.recommend(asked)
    telemetry.count_slate(slate.served_by)
    return SlateAnswer.from_domain(slate)


@router.post("/batch", summary="Ask for the slates of one page")
async def recommend_batch(
    batch: Annotated[BatchRequest, Body(openapi_examples=BATCH_EXAMPLES)], resources: OpenResources
) -> BatchAnswer:
    """Slates in the order asked for. No item is in two of them: what an earlier one shows, later ones do not."""
    now = datetime.now(UTC)
    slates = await resources.recommender.recommend_page([request.to_domain(now) for request in batch.requests])
    for slate in slates:
        telemetry.count_slate(slate.served_by)
    return BatchAnswer(slates=[SlateAnswer.from_domain(slate) for slate in slates])


@router.get("/next/{slate_id}", summary="Go on to the next page")
async def recommend_next(
    slate_id: Annotated[Identifier, Path(description="Of the page before.")],
    resources: OpenResources,
    k: Annotated[
        int | None, Query(ge=1, le=500, description="Length of the page. Default: that of the page before.")
    ] = None,
) -> SlateAnswer:
    """The request of that slate once more, without anything that it or the pages before it showed.

    The moment of the request stays that of the first page; what the user did since counts.
    """
    slate = await resources.recommender.recommend_next(slate_id, k)
    telemetry.count_slate(slate.served_by)
    return SlateAnswer.from_domain(slate)
