"""A re-ranking rule: a slate holds one item of a series at most, whatever the others score."""

from collections.abc import Sequence

import numpy as np

from app.domain import Item, SlateRequest
from app.reranking.rules import Cap


def one_of_a_series(_request: SlateRequest, items: Sequence[Item]) -> list[Cap]:
    """items: the candidates, in their order. The series is the property `series`; items without one are left alone."""
    series = np.array([str(item.properties.get("series") or "") for item in items])
    return [Cap(series == name, at_most=1) for name in np.unique(series) if name]
