"""A slate as it is remembered: enough to serve its next page, explain it, join clicks to it and replay it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain import ItemId, UserId
from app.storage.timestamps import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class ServedItem:
    """One place of a slate that was served.

    position: 1 is the top; a second page goes on where the first ended. propensity: probability, in (0, 1], with which
    the policy that served it put this item at this place; 1.0 where nothing was left to chance.
    """

    item_id: ItemId
    score: float
    position: int
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class SlateRecord:
    """One slate served. placement, arm: None where the request named none and no experiment took part.

    request: what was asked, as JSON values, enough to ask again. served_by: how it was made, as JSON values.
    """

    slate_id: str
    served_at: datetime
    bundle: str
    items: tuple[ServedItem, ...]
    user_id: UserId | None = None
    placement: str | None = None
    arm: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    served_by: Mapping[str, Any] = field(default_factory=dict)


Row = tuple[Any, ...]
COLUMNS = "slate_id, served_at, bundle, user_id, placement, arm, items, request, served_by"
SLATE_ID, SERVED_AT, USER_ID, REQUEST = 0, 1, 3, 7
"""Their places among the columns."""


def to_row(record: SlateRecord) -> Row:
    """In the order of COLUMNS. Items as JSON arrays [item_id, score, position, propensity], a third of objects."""
    items = [[item.item_id, round(item.score, 6), item.position, item.propensity] for item in record.items]
    return (
        record.slate_id,
        to_micros(record.served_at),
        record.bundle,
        record.user_id,
        record.placement,
        record.arm,
        _to_json(items),
        _to_json(dict(record.request)),
        _to_json(dict(record.served_by)),
    )


def from_row(row: Row) -> SlateRecord:
    slate_id, served_at, bundle, user_id, placement, arm, items, request, served_by = row
    return SlateRecord(
        slate_id=slate_id,
        served_at=from_micros(served_at),
        bundle=bundle,
        items=tuple(ServedItem(*item) for item in json.loads(items)),
        user_id=user_id,
        placement=placement,
        arm=arm,
        request=json.loads(request),
        served_by=json.loads(served_by),
    )


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
