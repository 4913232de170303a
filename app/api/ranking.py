"""`POST /v1/rank`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from app import telemetry
from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.recommendations import RankRequest
from app.api.schemas.slates import SlateAnswer

router = APIRouter(prefix="/v1/rank", tags=["recommendations"])

EXAMPLES: Examples = {
    "known user": {
        "summary": "Search results of your own, in the order this user would want them",
        "value": {"user_id": "1", "items": ["50", "181", "588", "286"]},
    },
    "words": {
        "summary": "For a stranger who says what they want",
        "value": {"words": "something for the children", "items": ["50", "181", "588", "286"]},
    },
}


@router.post("", summary="Order a list of your own")
async def rank(
    request: Annotated[RankRequest, Body(openapi_examples=EXAMPLES)], resources: OpenResources
) -> SlateAnswer:
    """The very items you name, best first, scored as /v1/recommendations would score them."""
    slate = await resources.recommender.rank(
        request.to_request(datetime.now(UTC), len(request.items)), request.item_ids()
    )
    telemetry.count_slate(slate.served_by)
    return SlateAnswer.from_domain(slate)
