"""The text written of an item: the very same for training and for serving."""

from app.domain import Item

MAX_TEXT_CHARS = 2_000


def item_text(item: Item) -> str:
    """Title first, since the encoder cuts at a fixed number of tokens: "Title. category, category. description"."""
    parts = [item.title, ", ".join(item.categories), item.description]
    return ". ".join(part.strip() for part in parts if part.strip())[:MAX_TEXT_CHARS]
