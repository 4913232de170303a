"""`/v1/users/{user_id}`: merging, taking along and erasing all that is kept of a user."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from fastapi.responses import StreamingResponse
from starlette.convertors import Convertor, register_url_convertor

from app.api.dependencies import OpenResources
from app.api.jsonl import line_responses, stream_lines
from app.api.openapi import Examples, problem_responses
from app.api.schemas.fields import Identifier
from app.api.schemas.user_data import ErasureReceipt, MergeAnswer, MergeRequest
from app.domain import UserId
from app.errors import UnknownUser

BENEATH = ("interests", "export", "merge", "similar")


class WholeUser(Convertor[str]):
    """A user's id at the end of a path. It may hold slashes, but DELETE of what lies beneath a user erases nobody."""

    regex = ".*" + "".join(f"(?<!/{name})" for name in BENEATH)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("whole_user", WholeUser())
router = APIRouter(prefix="/v1/users", tags=["users"])

KNOWN: Examples = {"user": {"summary": "The first user of MovieLens", "value": "1"}}
LEAVING: Examples = {"user": {"summary": "A user of your own", "value": "visitor-7"}}
EXAMPLES: Examples = {"session": {"summary": "They signed in", "value": {"from_user_id": "session-31c2"}}}


@router.post("/{user_id:path}/merge", summary="Merge another user into this one", responses=problem_responses(409))
async def merge_user(
    user_id: Annotated[Identifier, Path(openapi_examples=KNOWN)],
    told: Annotated[MergeRequest, Body(openapi_examples=EXAMPLES)],
    resources: OpenResources,
) -> MergeAnswer:
    """What an anonymous session did becomes the user's, and so does what is sent under its id later.

    The very next slate reflects it. Repeated it changes nothing. It cannot be undone.
    """
    moved = await resources.merger.merge(UserId(told.from_user_id), UserId(user_id))
    return MergeAnswer(user_id=user_id, from_user_id=told.from_user_id, moved=moved)


@router.get(
    "/{user_id:path}/export",
    summary="Take along all that is kept of a user",
    response_class=StreamingResponse,
    responses=line_responses("One JSON object a line: the store's name, and the row."),
)
async def export_user(
    user_id: Annotated[Identifier, Path(openapi_examples=KNOWN)], resources: OpenResources
) -> StreamingResponse:
    """Every row of every store, as it is kept: events, impressions, searches, slates and whatever else."""
    rows = resources.exporter.export(UserId(user_id))
    first = await anext(rows, None)
    if first is None:
        raise UnknownUser(f"nothing is kept of user {user_id!r}")
    return stream_lines(_after(first, rows), "user.jsonl")


@router.delete("/{user_id:whole_user}", summary="Erase a user")
async def erase_user(
    user_id: Annotated[Identifier, Path(openapi_examples=LEAVING)], resources: OpenResources
) -> ErasureReceipt:
    """Takes the user out of every store and every process's memory; the receipt says how much each one lost.

    Of a user that nothing is kept of it says zero throughout. A bundle trained before holds no user, but what it has
    learned from all of them together; tables exported for training are files of yours.
    """
    return ErasureReceipt.from_domain(await resources.erasure.erase(UserId(user_id)))


async def _after(first: dict[str, Any], rest: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    yield first
    async for row in rest:
        yield row
