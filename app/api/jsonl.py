"""Answers of many lines, streamed: one JSON value a line."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

from app.api.answer_headers import carries

MEDIA_TYPE = "application/jsonl"


def stream_lines(values: AsyncIterator[Any], filename: str) -> StreamingResponse:
    """Values as lines, as they come. An error on the way breaks the connection off, so that no half passes for all."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return StreamingResponse(_to_lines(values), media_type=MEDIA_TYPE, headers=headers)


def line_responses(description: str) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of such an answer."""
    told = {"description": description, "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
    return {200: {**told, **carries("Content-Disposition", "Cache-Control")}}


async def _to_lines(values: AsyncIterator[Any]) -> AsyncIterator[str]:
    async for value in values:
        yield json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
