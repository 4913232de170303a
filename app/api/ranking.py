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
    "told": {
        "summary": "Items that are not in the catalogue, beside one that is",
        "value": {
            "user_id": "1",
            "items": [
                "50",
                {"item_id": "draft-7", "title": "The Long Orbit", "categories": ["Sci-Fi"]},
                {"title": "Harbour Lights", "description": "A fishing village keeps a secret from a young doctor."},
            ],
        },
    },
}


@router.post("", summary="Order a list of your own")
async def rank(
    request: Annotated[RankRequest, Body(openapi_examples=EXAMPLES)], resources: OpenResources
) -> SlateAnswer:
    """The very items you list, best first, scored as /v1/recommendations would score them.

    An item that the catalogue does not hold may be told with its text, and is scored by that alone.
    """
    asked = request.to_request(datetime.now(UTC), len(request.items))
    slate = await resources.recommender.rank(asked, request.listed())
    telemetry.count_slate(slate.served_by)
    return SlateAnswer.from_domain(slate)
