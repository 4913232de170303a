"""`POST /v1/search`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from app import telemetry
from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.search import SearchRequest
from app.api.schemas.slates import SlateAnswer

router = APIRouter(prefix="/v1/search", tags=["recommendations"])

EXAMPLES: Examples = {
    "words": {
        "summary": "For a stranger: by the words alone",
        "value": {"words": "submarine thriller", "k": 5},
    },
    "personal": {
        "summary": "The same words, in the order this user would want them",
        "value": {"words": "submarine thriller", "user_id": "1", "k": 5},
    },
}


@router.post("", summary="Search in plain language")
async def search(
    request: Annotated[SearchRequest, Body(openapi_examples=EXAMPLES)], resources: OpenResources
) -> SlateAnswer:
    """The words decide which items are found, the taste of whoever asks decides their order.

    503 when the words cannot be read in time: a search without its words would be another question.
    """
    slate = await resources.recommender.search(request.to_domain(datetime.now(UTC)), request.choose_from())
    telemetry.count_slate(slate.served_by)
    return SlateAnswer.from_domain(slate)
