"""A slate before its reasons: the places, best first."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import PART_NAMES, FloatArray, Item, Reason, Scores, SlateItem, Source


@dataclass(frozen=True, slots=True)
class Places:
    """vectors: (k, D + N_BUCKETS), as the index has them. sources: what proposed each item."""

    items: tuple[Item, ...]
    sources: tuple[tuple[Source, ...], ...]
    vectors: FloatArray
    scores: Scores

    def with_reasons(self, reasons: Sequence[tuple[Reason, ...]]) -> tuple[SlateItem, ...]:
        return tuple(
            SlateItem(
                item=item,
                score=float(self.scores.total[place]),
                parts=dict(zip(PART_NAMES, self.scores.parts[place].tolist(), strict=True)),
                sources=self.sources[place],
                interest=int(self.scores.interest[place]),
                reasons=reasons[place],
            )
            for place, item in enumerate(self.items)
        )
