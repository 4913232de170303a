"""A slate before its reasons: the places, best first."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import PART_NAMES, FloatArray, Item, Reason, Scores, SlateItem


@dataclass(frozen=True, slots=True)
class Places:
    """vectors: (k, D + PRIOR_DIM), as the index has them. sources: what proposed each item.

    propensity, rules, labels: see `SlateItem`, one each an item; None where nothing but the score decided.
    """

    items: tuple[Item, ...]
    sources: tuple[tuple[str, ...], ...]
    vectors: FloatArray
    scores: Scores
    propensity: FloatArray | None = None
    rules: tuple[tuple[str, ...], ...] | None = None
    labels: tuple[str, ...] | None = None

    def with_reasons(self, reasons: Sequence[tuple[Reason, ...]]) -> tuple[SlateItem, ...]:
        return tuple(
            SlateItem(
                item=item,
                score=float(self.scores.total[place]),
                parts=dict(zip(PART_NAMES, self.scores.parts[place].tolist(), strict=True)),
                sources=self.sources[place],
                interest=int(self.scores.interest[place]),
                reasons=reasons[place],
                propensity=1.0 if self.propensity is None else float(self.propensity[place]),
                rules=() if self.rules is None else self.rules[place],
                label="" if self.labels is None else self.labels[place],
            )
            for place, item in enumerate(self.items)
        )
