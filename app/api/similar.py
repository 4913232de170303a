"""`GET /v1/items/{item_id}/similar` and `GET /v1/users/{user_id}/similar`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.api.answer_headers import carries
from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.problems import show_problem
from app.api.refusals import MethodNotAllowed
from app.api.schemas.fields import Identifier
from app.api.schemas.lists import SimilarItemsAnswer, SimilarUsersAnswer
from app.domain import Context, ItemId, Likeness, SlateRequest, UserId

router = APIRouter(prefix="/v1")

ITEM: Examples = {"film": {"summary": "Star Wars (1977)", "value": "50"}}
USER: Examples = {"user": {"summary": "The first user of MovieLens", "value": "1"}}


@router.get("/items/{item_id:path}/similar", tags=["items"], summary="Items like an item")
async def list_similar_items(
    item_id: Annotated[Identifier, Path(openapi_examples=ITEM)],
    resources: OpenResources,
    k: Annotated[int, Query(ge=1, le=200, description="Length of the list, in items: 1 to 200.")] = 20,
    by: Annotated[
        Likeness,
        Query(description="text: what is written of them; behaviour: who likes them; both: half and half."),
    ] = Likeness.BOTH,
    user_id: Annotated[Identifier | None, Query(description="Who asks. Default: nobody; taste does not count.")] = None,
    user_impact: Annotated[
        float,
        Query(ge=0, le=1, description="How much the asking user's taste counts beside the likeness, 0 to 1."),
    ] = 0.3,
) -> SimilarItemsAnswer:
    """Most similar first, the item itself left out. With a `user_id` their taste counts too, as far as it is known.

    An item that nobody has met yet is found by its text.
    """
    asker = SlateRequest(Context(datetime.now(UTC)), k, None if user_id is None else UserId(user_id))
    found = await resources.similarity.items(ItemId(item_id), by, asker, user_impact)
    return SimilarItemsAnswer.from_domain(item_id, found)


@router.api_route(
    "/items/{item_id:path}/similar",
    methods=["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"],
    include_in_schema=False,
)
async def refuse_methods() -> Response:
    """Else it would be an item whose id ends in "/similar", which could be put and never be read."""
    return show_problem(MethodNotAllowed("This path serves GET: no item's id may end in /similar."), {"Allow": "GET"})


@router.get(
    "/users/{user_id:path}/similar",
    tags=["users"],
    summary="Users like a user",
    responses={200: carries("Cache-Control")},
)
async def list_similar_users(
    user_id: Annotated[Identifier, Path(openapi_examples=USER)],
    resources: OpenResources,
    response: Response,
    k: Annotated[int, Query(ge=1, le=200, description="Length of the list, in users: 1 to 200.")] = 20,
) -> SimilarUsersAnswer:
    """Most alike first, by what both liked in the newest events of all users."""
    response.headers["Cache-Control"] = "no-store"
    return SimilarUsersAnswer.from_domain(user_id, await resources.similarity.users(UserId(user_id), k))
