"""`/v1/slates/{slate_id}/items/{item_id}/explanation`."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.api.answer_headers import carries
from app.api.dependencies import OpenResources
from app.api.openapi import Examples
from app.api.schemas.explanations import ExplanationAnswer
from app.api.schemas.fields import Identifier
from app.domain import ItemId

router = APIRouter(prefix="/v1/slates/{slate_id}", tags=["recommendations"])

SLATE: Examples = {"slate": {"summary": "The slate_id of an answer", "value": "4f1c0a9be27d5d10"}}
ITEM: Examples = {"film": {"summary": "Star Wars (1977)", "value": "50"}}


@router.get(
    "/items/{item_id:path}/explanation",
    summary="Explain an item's place in a slate, or its absence",
    responses={200: carries("Cache-Control")},
)
async def explain_place(
    slate_id: Annotated[Identifier, Path(openapi_examples=SLATE)],
    item_id: Annotated[Identifier, Path(openapi_examples=ITEM)],
    resources: OpenResources,
    response: Response,
) -> ExplanationAnswer:
    """Measured: the request is worked out again from the events up to the slate, then without each of the newest ones,
    and ranked in full each time. For an item that is not in the slate it says why, and tries what would bring it in.
    """
    response.headers["Cache-Control"] = "no-store"
    return ExplanationAnswer.from_domain(await resources.places.explain(slate_id, ItemId(item_id)))
