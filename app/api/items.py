"""`/v1/items/{item_id}`."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response, status

from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.fields import Identifier
from app.api.schemas.items import ItemAnswer, ItemIn
from app.domain import ItemId

# ":path" lets an id hold slashes, sent as they are or as %2F: some catalogues name their items by address.
router = APIRouter(prefix="/v1/items/{item_id:path}", tags=["items"])

KNOWN: Examples = {"film": {"summary": "Star Wars (1977)", "value": "50"}}
OURS: Examples = {"film": {"summary": "An item of your own", "value": "night-train"}}

EXAMPLES: Examples = {
    "film": {
        "summary": "A film nobody has seen yet",
        "value": {
            "title": "Night Train to Lisbon",
            "categories": ["Mystery", "Romance"],
            "description": "A teacher leaves his life to follow a dead writer's trail through Lisbon.",
            "properties": {"year": 2013, "poster": "posters/night-train.jpg"},
        },
    }
}


@router.get("", summary="Read an item")
async def get_item(
    item_id: Annotated[Identifier, Path(openapi_examples=KNOWN)], resources: OpenResources
) -> ItemAnswer:
    return ItemAnswer.from_domain(await resources.catalogue.get(ItemId(item_id)))


@router.put(
    "",
    summary="Create or replace an item",
    responses={
        status.HTTP_200_OK: {"description": "Replaced"},
        status.HTTP_201_CREATED: {"description": "Created", "model": ItemAnswer},
    },
)
async def put_item(
    item_id: Annotated[Identifier, Path(openapi_examples=OURS)],
    item: Annotated[ItemIn, Body(openapi_examples=EXAMPLES)],
    resources: OpenResources,
    response: Response,
) -> ItemAnswer:
    """Its text is encoded and it is on disk before the answer; within a second it can be in any process's slates."""
    written = item.to_domain(item_id)
    if await resources.catalogue.put(written):
        response.status_code = status.HTTP_201_CREATED
    return ItemAnswer.from_domain(written)


@router.delete("", summary="Delete an item", status_code=status.HTTP_204_NO_CONTENT, response_class=Response)
async def delete_item(item_id: Annotated[Identifier, Path(openapi_examples=OURS)], resources: OpenResources) -> None:
    """It is in no slate of this process any more; in no other's within a second. Events on it are kept."""
    await resources.catalogue.delete(ItemId(item_id))
