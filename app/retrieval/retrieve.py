"""Query rows to candidates: each row asks the index; what several rows found is one candidate with all its sources."""

from collections.abc import Sequence

import numpy as np

from app.domain import BoolArray, Candidates, FloatArray, Source
from app.retrieval.index import ItemIndex


def retrieve(
    index: ItemIndex, queries: FloatArray, sources: Sequence[Source], n: int, eligible: BoolArray | None
) -> Candidates:
    """Up to n items for each of the (Q, D) queries, merged. sources: where each query row came from.

    An item found twice is one candidate. All are eligible. The order is by slot and says nothing.
    """
    found: dict[int, list[Source]] = {}
    for slots, source in zip(index.search(queries, n, eligible), sources, strict=True):
        for slot in slots.tolist():
            named = found.setdefault(slot, [])
            if source not in named:
                named.append(source)
    ordered = sorted(found)
    return Candidates(np.array(ordered, dtype=np.int64), tuple(tuple(found[slot]) for slot in ordered))


def join(groups: Sequence[Candidates]) -> Candidates:
    """Candidates of groups that share no slot, as one."""
    if len(groups) == 1:
        return groups[0]
    slots = np.concatenate([group.slots for group in groups])
    sources = [source for group in groups for source in group.sources]
    order = np.argsort(slots)
    return Candidates(slots[order], tuple(sources[place] for place in order))
