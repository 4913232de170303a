"""`GET /v1/map`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from app.api.answer_headers import carries
from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.fields import NOT_BLANK, Identifier
from app.api.schemas.maps import MapAnswer
from app.domain import Context, SlateRequest, UserId

router = APIRouter(prefix="/v1/map", tags=["items"])

USERS: Examples = {
    "nobody": {"summary": "Items alone", "value": None},
    "user": {"summary": "The first user of MovieLens", "value": "1"},
}
WORDS: Examples = {
    "no words": {"summary": "Without", "value": None},
    "words": {"summary": "A wish in plain language", "value": "slow-burn science fiction, no gore"},
}


@router.get(
    "", summary="See the space in two dimensions", response_model=MapAnswer, responses={200: carries("Cache-Control")}
)
async def read_map(
    resources: OpenResources,
    user_id: Annotated[
        Identifier | None, Query(description="Whose interests to place among the items.", openapi_examples=USERS)
    ] = None,
    words: Annotated[
        Annotated[str, StringConstraints(max_length=1_000, pattern=NOT_BLANK)] | None,
        Query(description="Words to place among the items: 1 to 1,000 characters.", openapi_examples=WORDS),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=5_000, description="Items on the map at most: 1 to 5,000.")] = 1_000,
) -> Response:
    """Items at their places, and the interests of a user, or words, among them.

    Two dimensions out of many: near on the map need not be near in the space, and `share` says how much is seen. The
    interests' `nearest` items are measured in all dimensions. The axes are found once a bundle, at the first map.
    """
    request = SlateRequest(
        context=Context(datetime.now(UTC)),
        k=1,
        user_id=None if user_id is None else UserId(user_id),
        words=(words or "").strip(),
    )
    drawn = await resources.maps.draw(request, limit)
    # Thousands of places: written in a thread, since the loop has others to serve.
    body = await asyncio.to_thread(lambda: MapAnswer.from_domain(drawn).model_dump_json())
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
