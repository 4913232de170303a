"""`/v1/users/{user_id}`."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.fields import Identifier
from app.api.schemas.interests import InterestsAnswer
from app.domain import UserId

router = APIRouter(prefix="/v1/users/{user_id:path}", tags=["users"])

KNOWN: Examples = {"user": {"summary": "The first user of MovieLens", "value": "1"}}


@router.get("/interests", summary="Read a user's interests")
async def get_interests(
    user_id: Annotated[Identifier, Path(openapi_examples=KNOWN)], resources: OpenResources, response: Response
) -> InterestsAnswer:
    """As phrases, each with its weight and the events it rests on. Read anew from the user's last events."""
    response.headers["Cache-Control"] = "no-store"
    return InterestsAnswer.from_domain(user_id, await resources.readers.describe(UserId(user_id)))
