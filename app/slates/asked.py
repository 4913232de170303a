"""A request as JSON values and back: what a slate is remembered with, so that its next page can be asked for."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from app.domain import Slate, SlateRequest
from app.errors import UnknownSlate
from app.slates.record import ServedItem, SlateRecord

RANKED = "ranked"
"""Stands in the request of a list of the caller's own, which was answered whole."""


def request_to_json(request: SlateRequest) -> dict[str, Any]:
    """Fields that are not at their default, sets as lists."""
    values: dict[str, Any] = _adapter().dump_python(request, mode="json", exclude_defaults=True)
    return values


def request_from_json(values: Mapping[str, Any]) -> SlateRequest:
    return _adapter().validate_python(values, strict=False)


def record_of(request: SlateRequest, slate: Slate, first_position: int = 1, *, ranked: bool = False) -> SlateRecord:
    """The slate as it is remembered. first_position: of its first place, on the page or on those before it."""
    asked = request_to_json(request)
    return SlateRecord(
        slate_id=slate.slate_id,
        served_at=datetime.now(UTC),
        bundle=slate.served_by.bundle,
        items=tuple(
            ServedItem(place.item.item_id, place.score, position, place.propensity)
            for position, place in enumerate(slate.items, first_position)
        ),
        user_id=request.user_id,
        placement=request.placement,
        arm=request.arm,
        request=asked | {RANKED: True} if ranked else asked,
        served_by=asdict(slate.served_by),
    )


def next_request(record: SlateRecord, k: int | None) -> tuple[SlateRequest, int]:
    """The request of the page after this slate, and the position of its first place. k: as before where None.

    The moment is that of the first page, and what all pages so far showed is excluded. Raises UnknownSlate for a list
    of the caller's own.
    """
    if RANKED in record.request:
        raise UnknownSlate(f"slate {record.slate_id!r} was a list of your own, answered whole: it has no next page")
    request = request_from_json(record.request)
    shown = {item.item_id for item in record.items}
    first_position = 1 + max((item.position for item in record.items), default=0)
    return replace(request, exclude=request.exclude | shown, k=k or request.k), first_position


@cache
def _adapter() -> TypeAdapter[SlateRequest]:
    return TypeAdapter(SlateRequest)
