"""`/v1/items/import`, `/export` and `/schema`: the catalogue as a whole."""

import pathlib
from collections.abc import AsyncIterator, Mapping
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, cast

from anyio import to_thread
from fastapi import APIRouter, Body, Path, Request, status
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from app.api.answers import LINES
from app.api.dependencies import OpenResources, OpenService
from app.api.items import RESERVED
from app.api.jsonl import MEDIA_TYPE, line_responses, stream_lines
from app.api.openapi import Examples
from app.api.refusals import UnsupportedMediaType
from app.api.schemas.items import ImportAnswer, ItemLine, PropertySchemaAnswer, PropertySchemaBody
from app.catalogue.codec import item_to_fields
from app.catalogue.property_schema import PropertyType, check_properties, misfits_of
from app.domain import Item
from app.errors import ImportTooLarge, InvalidRequest

router = APIRouter(prefix="/v1/items", tags=["items"])

IMPORT = "/v1/items/import"
MOST_LINES = 50_000
LINE_TYPES = frozenset({MEDIA_TYPE, "application/x-ndjson", "application/jsonlines"})

TYPES: Examples = {
    "film": {
        "summary": "Year and place of a film, and until when it may be shown",
        "value": {"properties": {"year": "number", "filmed_at": "geo", "available_until": "time"}},
    }
}


def imports(data_dir: pathlib.Path) -> APIRouter:
    """The import alone: its bodies may be larger than others. data_dir: where a body lies while it is read."""
    own = APIRouter(tags=["items"])

    @own.post(
        IMPORT,
        summary="Create or replace many items",
        status_code=status.HTTP_202_ACCEPTED,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {MEDIA_TYPE: {"schema": {"description": "One item a line."}, "example": LINES}},
            }
        },
    )
    async def import_items(request: Request, service: OpenService, resources: OpenResources) -> ImportAnswer:
        """A body of up to 50,000 lines, each an item as PUT takes it and its `item_id`: JSON lines, UTF-8.

        Answered when the body has arrived; the items come one batch after the other while slates are served. Watch
        GET /v1/items/import/{job_id}. A line that is no item fails alone and is named; sent again, an item is replaced.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in LINE_TYPES:
            raise UnsupportedMediaType(f"Send JSON lines with the header Content-Type: {MEDIA_TYPE}.")
        parse = _Parser(await resources.properties.read())
        lines = cast("BinaryIO", TemporaryFile(dir=_folder(data_dir)))  # noqa: SIM115 - the import closes it
        try:
            n_lines = await _receive(request, lines)
            return ImportAnswer.model_validate(await service.imports.start(lines, n_lines, parse))
        except BaseException:
            lines.close()
            raise

    @own.get(IMPORT + "/{job_id}", summary="Watch an import")
    async def get_import(
        job_id: Annotated[str, Path(description="As the import answered it.")], service: OpenService
    ) -> ImportAnswer:
        """How far it has come, and what is wrong with the lines that failed."""
        return ImportAnswer.model_validate(await service.import_jobs.get(job_id))

    return own


@router.get(
    "/export",
    summary="Read all items",
    response_class=StreamingResponse,
    responses=line_responses("One item a line, as an import takes it, by id; hidden ones too."),
)
async def export_items(resources: OpenResources) -> StreamingResponse:
    """Streamed from the store, page by page: an item changed meanwhile is told as it is when its page is read."""
    return stream_lines(_fields(resources.catalogue.pages()), "items.jsonl")


@router.get("/schema", summary="Read the declared properties")
async def get_property_schema(resources: OpenResources) -> PropertySchemaBody:
    """As last put; empty where nothing was declared, and properties may then hold anything."""
    return PropertySchemaBody(properties=await resources.properties.read())


@router.put("/schema", summary="Declare the properties of items")
async def put_property_schema(
    told: Annotated[PropertySchemaBody, Body(openapi_examples=TYPES)], resources: OpenResources
) -> PropertySchemaAnswer:
    """From now on an item with a property of another type is refused. Replaces what was declared before."""
    await resources.properties.replace(told.properties)
    misfits = await _count_misfits(told.properties, resources.catalogue.pages())
    return PropertySchemaAnswer(properties=told.properties, misfits=misfits)


def _folder(data_dir: pathlib.Path) -> pathlib.Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    return data_dir


async def _receive(request: Request, lines: BinaryIO) -> int:
    """Write the body to the file and go back to its start; the number of its lines that are not blank."""
    n_newlines = 0
    async for chunk in request.stream():
        await to_thread.run_sync(lines.write, chunk)
        n_newlines += chunk.count(b"\n")
        if n_newlines > 2 * MOST_LINES:  # blank ones among them
            raise ImportTooLarge(f"the body has more than {MOST_LINES:,} lines: send it in parts")
    n_lines = await to_thread.run_sync(_count_lines, lines)
    if n_lines > MOST_LINES:
        raise ImportTooLarge(f"the body has {n_lines:,} lines, {MOST_LINES:,} are the limit: send it in parts")
    if not n_lines:
        raise InvalidRequest("body: it has no line: send one item a line")
    return n_lines


def _count_lines(lines: BinaryIO) -> int:
    lines.seek(0)
    n_lines = sum(1 for line in lines if line.strip())
    lines.seek(0)
    return n_lines


class _Parser:
    """A line to an item that fits the declared properties, as they were when the import began."""

    def __init__(self, types: Mapping[str, PropertyType]) -> None:
        self._types = types

    def __call__(self, line: bytes) -> Item:
        """Raises InvalidRequest and PropertyMisfit."""
        try:
            told = ItemLine.model_validate_json(line)
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InvalidRequest(f"{place}: {first['msg']}" if place else first["msg"]) from None
        if told.item_id in RESERVED or told.item_id.startswith("import/"):
            raise InvalidRequest(f"item_id: {told.item_id!r} is the name of a route: give the item another id")
        item = told.to_domain(told.item_id)
        check_properties(self._types, item)
        return item


async def _fields(pages: AsyncIterator[list[Item]]) -> AsyncIterator[dict[str, Any]]:
    async for page in pages:
        for item in page:
            yield item_to_fields(item)


async def _count_misfits(types: Mapping[str, PropertyType], pages: AsyncIterator[list[Item]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    async for page in pages:
        for item in page:
            for name in misfits_of(types, item):
                counts[name] = counts.get(name, 0) + 1
    return counts
