"""`/v1/items/{item_id}`."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response, status
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.convertors import Convertor, register_url_convertor

from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.fields import Identifier
from app.api.schemas.items import ItemAnswer, ItemIn, ItemPatch
from app.catalogue.property_schema import check_properties
from app.domain import Item, ItemId

RESERVED = frozenset({"schema", "import", "export"})
"""What lies beside the items under their address, so that it cannot be an item's id."""


class WholeItem(Convertor[str]):
    """An item's id at the end of a path. It may hold slashes, as they are or as %2F: some name items by address."""

    regex = f"(?!(?:{'|'.join(sorted(RESERVED))})$|import/).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("whole_item", WholeItem())
router = APIRouter(prefix="/v1/items/{item_id:whole_item}", tags=["items"])

KNOWN: Examples = {"film": {"summary": "Star Wars (1977)", "value": "50"}}
OURS: Examples = {"film": {"summary": "An item of your own", "value": "night-train"}}

MERGE_PATCH = "application/merge-patch+json"
PATCHES: Examples = {
    "hide": {"summary": "Out of all slates, at once", "value": {"hidden": True}},
    "shown": {
        "summary": "Shown again, with one property changed and one taken away",
        "value": {"hidden": False, "properties": {"price": 3.5, "poster": None}},
    },
}

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
    """As it was last written or changed, hidden or not."""
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
    check_properties(await resources.properties.read(), written)
    if await resources.catalogue.put(written):
        response.status_code = status.HTTP_201_CREATED
    return ItemAnswer.from_domain(written)


@router.patch("", summary="Change an item")
async def patch_item(
    item_id: Annotated[Identifier, Path(openapi_examples=KNOWN)],
    patch: Annotated[ItemPatch, Body(media_type=MERGE_PATCH, openapi_examples=PATCHES)],
    resources: OpenResources,
) -> ItemAnswer:
    """A merge patch (RFC 7386): what is named changes, null takes away, everything else stays, whoever writes it.

    `hidden` takes the item out of the very next slate, and out of every process's within a second.
    """
    types = await resources.properties.read()

    def change(item: Item) -> Item:
        changed = _apply(patch, item)
        check_properties(types, changed)
        return changed

    return ItemAnswer.from_domain(await resources.catalogue.revise(ItemId(item_id), change))


@router.delete("", summary="Delete an item", status_code=status.HTTP_204_NO_CONTENT, response_class=Response)
async def delete_item(item_id: Annotated[Identifier, Path(openapi_examples=OURS)], resources: OpenResources) -> None:
    """It is in no slate of this process any more; in no other's within a second. Events on it are kept."""
    await resources.catalogue.delete(ItemId(item_id))


def _apply(patch: ItemPatch, item: Item) -> Item:
    try:
        return patch.apply(item)
    except ValidationError as invalid:
        faults = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors()]
        raise RequestValidationError(faults) from invalid
