"""`/v1/users/{user_id}`."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from app.api.answer_headers import carries
from app.api.dependencies import OpenResources
from app.api.openapi import Examples, problem_responses
from app.api.schemas.fields import Identifier
from app.api.schemas.interests import EditsAnswer, InterestChanges, InterestsAnswer
from app.domain import UserId

router = APIRouter(prefix="/v1/users/{user_id:path}", tags=["users"])

KNOWN: Examples = {"user": {"summary": "The first user of MovieLens", "value": "1"}}

EXAMPLES: Examples = {
    "less and more": {
        "summary": "Less of one thing, more of another",
        "value": {"operations": [{"op": "less", "phrase": "Horror"}, {"op": "more", "phrase": "heist with a twist"}]},
    },
    "never": {"summary": "Never again", "value": {"operations": [{"op": "never", "phrase": "Musical"}]}},
    "reset": {"summary": "Take everything back", "value": {"operations": [{"op": "reset"}]}},
}


@router.get("/interests", summary="Read a user's interests", responses={200: carries("Cache-Control")})
async def get_interests(
    user_id: Annotated[Identifier, Path(openapi_examples=KNOWN)], resources: OpenResources, response: Response
) -> InterestsAnswer:
    """As phrases, each with its weight and the events it rests on. Read anew from the user's last events."""
    response.headers["Cache-Control"] = "no-store"
    return InterestsAnswer.from_domain(user_id, await resources.readers.describe(UserId(user_id)))


@router.patch("/interests", summary="Edit a user's interests", responses=problem_responses(409))
async def edit_interests(
    user_id: Annotated[Identifier, Path(openapi_examples=KNOWN)],
    changes: Annotated[InterestChanges, Body(openapi_examples=EXAMPLES)],
    resources: OpenResources,
) -> EditsAnswer:
    """Says more, less or never of a phrase, or takes it back; answers all that the user then has said.

    On disk before the answer, and in the very next slate of every process. A user without events may say things too.
    """
    return EditsAnswer.from_domain(user_id, await resources.editor.edit(UserId(user_id), changes.to_domain()))
