"""An item as one line of JSON, the same on disk, in the bundle, in the store and over the wire."""

import json
from typing import Any

from app.domain import Item, ItemId


def item_to_json(item: Item) -> str:
    """One line, keys in a fixed order, so that equal items give equal bytes. `hidden` is written where it is true."""
    return json.dumps(item_to_fields(item), ensure_ascii=False, sort_keys=True)


def item_to_fields(item: Item) -> dict[str, Any]:
    fields = {
        "item_id": item.item_id,
        "title": item.title,
        "categories": list(item.categories),
        "description": item.description,
        "properties": dict(item.properties),
    }
    return {**fields, "hidden": True} if item.hidden else fields


def item_from_json(line: str) -> Item:
    fields: dict[str, Any] = json.loads(line)
    return Item(
        item_id=ItemId(fields["item_id"]),
        title=fields["title"],
        categories=tuple(fields["categories"]),
        description=fields["description"],
        properties=fields["properties"],
        hidden=fields.get("hidden", False),
    )
