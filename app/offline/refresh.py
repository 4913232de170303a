"""Going on from a bundle with newer events, users and items, instead of starting over: the daily refresh.

Both item encoders stay as they are, so only texts that are new or have changed are encoded. Both blocks go on from
their weights for a fraction of the epochs; whatever is told of each item or each context value is carried over by name,
since rows and codes move when a catalogue grows. The blend is chosen anew.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from app.catalogue.text import item_text
from app.domain import FloatArray, IntArray, Item
from app.errors import DataError
from app.offline.training import Schedule
from app.scoring.context import ContextCodes
from app.trained import Trained
from models.events import to_tensor
from models.item_encoder import ItemEncoder
from models.space import Block, IdBlock

EPOCHS = 0.25  # of those of a first training, at least one
RATE = 0.5  # of its learning rates
ITEM_TABLES = frozenset({"encoder.tokens.delta.weight", "encoder.items.weight"})
FEATURE_TABLES = ("gate.features.", "gate.shifts.")


@dataclass(frozen=True)
class Earlier:
    """An earlier bundle. version: its name. rows: (N,) row there of each item of the catalogue now, -1 where new."""

    trained: Trained
    version: str
    items: tuple[Item, ...]

    @cached_property
    def rows(self) -> IntArray:
        place = {item.item_id: row for row, item in enumerate(self.trained.items)}
        return np.array([place.get(item.item_id, -1) for item in self.items], dtype=np.int64)

    def item_encoder(self, *, tuned: bool) -> ItemEncoder:
        return self.trained.item_encoder if tuned else self.trained.words_encoder

    def text(self, *, tuned: bool) -> FloatArray:
        """(N, T) text vectors of either encoder: the earlier ones, encoded anew where an item's text is new."""
        earlier = self.trained.text if tuned else self.trained.words
        rows, texts = self.rows, [item_text(item) for item in self.items]
        then = [item_text(item) for item in self.trained.items]
        kept = np.array([row >= 0 and then[row] == text for row, text in zip(rows, texts, strict=True)], dtype=np.bool_)
        vectors = np.empty((len(texts), earlier.shape[1]), dtype=np.float32)
        vectors[kept] = earlier[rows[kept]]
        if not kept.all():
            changed = [text for text, same in zip(texts, kept, strict=True) if not same]
            vectors[~kept] = self.item_encoder(tuned=tuned).encode(changed).numpy()
        return vectors


def shorten(schedule: Schedule) -> Schedule:
    """What is left of a first training's schedule when it goes on from an earlier bundle."""
    return dataclasses.replace(
        schedule,
        epochs=max(1, round(schedule.epochs * EPOCHS)),
        body_rate=schedule.body_rate * RATE,
        head_rate=schedule.head_rate * RATE,
    )


@torch.no_grad()
def carry_over(block: Block, earlier: Earlier, context: ContextCodes) -> None:
    """Give `block` the earlier one's weights. What stands in it of items that are new is left as it is.

    context: the features of now. Raises DataError where the earlier block is of another form.
    """
    old = (earlier.trained.space.id if isinstance(block, IdBlock) else earlier.trained.space.text).state_dict()
    new = block.state_dict()
    if other := sorted(name for name in set(old) ^ set(new) if not name.startswith(FEATURE_TABLES)):
        raise DataError(_mismatch(earlier, f"{other[0]} is there on one side only"))
    for name, weights in new.items():
        if name in ITEM_TABLES:
            _carry_rows(weights, old[name], earlier.rows + 1)
        elif name.startswith(FEATURE_TABLES):
            _carry_feature(weights, name, old, earlier.trained.context, context)
        elif weights.shape == old[name].shape:
            weights.copy_(old[name])
        else:
            raise DataError(_mismatch(earlier, f"{name} was {tuple(old[name].shape)}, is {tuple(weights.shape)}"))


def align(vectors: FloatArray, earlier: Earlier) -> FloatArray:
    """(N, D): starting vectors turned into the earlier ID block's space by least squares over the items known to both,
    for items that are new there; rows of 0 stay 0. vectors: (N, D) of `app.offline.spectral`."""
    rows, table = earlier.rows, earlier.trained.space.id.encoder.items.weight[1:].detach().cpu().numpy()
    known = (rows >= 0) & (np.linalg.norm(vectors, axis=1) > 0)
    turn = np.linalg.lstsq(vectors[known], table[rows[known]], rcond=None)[0]
    return np.asarray(vectors @ turn, dtype=np.float32)


def start_from(block: IdBlock, beside: FloatArray, earlier: Earlier, context: ContextCodes) -> None:
    """An ID block that knows the earlier items as they were and begins with the others where `beside` puts them."""
    block.start_items(to_tensor(align(beside, earlier)))
    carry_over(block, earlier, context)


def _carry_rows(weights: Tensor, old: Tensor, places: IntArray) -> None:
    """weights: (1 + n, d), its first row for "none" on both sides. places: (n,) row in `old` of each other, 0: new."""
    if weights.shape[1] != old.shape[1]:
        raise DataError(f"a table of width {old.shape[1]} cannot be carried over into one of width {weights.shape[1]}")
    known = torch.from_numpy(places > 0)
    weights[0] = old[0]
    weights[1:][known] = old[torch.from_numpy(places)][known]


def _carry_feature(
    weights: Tensor, name: str, old: Mapping[str, Tensor], then: ContextCodes, now: ContextCodes
) -> None:
    """name: of a table, which ends in its feature's place and "weight". What is new of features stays at zeros."""
    table, place, weight = name.rsplit(".", 2)
    feature, values = list(now.values.items())[int(place)]
    if feature in then.values:
        codes = {value: code for code, value in enumerate(then.values[feature], 1)}
        places = np.array([codes.get(value, 0) for value in values], dtype=np.int64)
        _carry_rows(weights, old[f"{table}.{list(then.values).index(feature)}.{weight}"], places)


def _mismatch(earlier: Earlier, what: str) -> str:
    return (
        f"bundle {earlier.version} cannot be gone on from: {what}; use the recipe and models it was trained with, or "
        "train from the start"
    )
