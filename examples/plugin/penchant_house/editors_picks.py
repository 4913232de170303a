"""A candidate source: what the editors chose, in their order. It proposes; the scorer still decides."""

from pathlib import Path

import numpy as np

from app.domain import IntArray, ItemId
from app.retrieval.sources.base import Ask
from app.retrieval.sources.plugins import SourceTools

PICKS = Path("editors_picks.txt")
"""In the working folder of the server: an item id a line, the first one first."""


class EditorsPicks:
    name = "editors_picks"

    def __init__(self, tools: SourceTools) -> None:
        self._catalogue = tools.catalogue
        self._picks = [ItemId(line) for line in PICKS.read_text().splitlines() if line] if PICKS.is_file() else []

    async def propose(self, ask: Ask, n: int) -> IntArray:
        slots = (self._catalogue.find_slot(item_id) for item_id in self._picks)
        return ask.first(np.array([slot for slot in slots if slot is not None], dtype=np.int64), n)
