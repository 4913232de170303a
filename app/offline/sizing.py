"""What of a recipe follows from the size of the data: one recipe serves 50,000 events and 20 million.

The numbers were found on validation of Amazon Beauty 2014 (16 events an item) and MovieLens-1M (290 events an item).
"""

import math
from dataclasses import dataclass

from app.offline.recipes import Recipe

STEPS_AN_EPOCH = 400  # as many on either: batches of 400 events on the one, of 2,500 on the other
FEWEST_TOKENS = 256
SPARSE, DENSE = 20.0, 200.0  # events an item; between them dropout falls with the logarithm


@dataclass(frozen=True, slots=True)
class Sizes:
    """id_batch_tokens: events a step of the ID block. id_dropout: its share. text_epochs: passes of the text block."""

    id_batch_tokens: int
    id_dropout: float
    text_epochs: int


def size(recipe: Recipe, n_events: int, n_items: int) -> Sizes:
    """For so many training events on so many items."""
    return Sizes(
        id_batch_tokens=max(FEWEST_TOKENS, min(n_events // STEPS_AN_EPOCH, recipe.id_batch_tokens)),
        id_dropout=_dropout(recipe, n_events / max(n_items, 1)),
        text_epochs=max(1, min(recipe.text_epochs, math.ceil(recipe.text_events / max(n_events, 1)))),
    )


def _dropout(recipe: Recipe, events_an_item: float) -> float:
    density = math.log(max(events_an_item, 1e-9) / SPARSE) / math.log(DENSE / SPARSE)
    share = min(max(density, 0.0), 1.0)
    return round(recipe.id_dropout + (1 - share) * (recipe.id_dropout_sparse - recipe.id_dropout), 3)
