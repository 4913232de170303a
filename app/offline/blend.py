"""The blend's free numbers, chosen on validation: how much each block, the shrinkage, the prior and the trend weigh.

The trend comes last, beside what was chosen without it, since a validation of whatever kind knows what was liked just
before each question, and the other numbers must also hold where that is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
import torch

from app.domain import FloatArray, IntArray
from app.offline.metrics import ndcg_at
from app.offline.questions import rank_targets
from app.offline.training import score_by_block
from app.offline.trends import Trends
from app.offline.windows import Histories
from app.scoring.newcomers import find_twins
from app.scoring.prior import buckets_of
from models.events import to_tensor
from models.space import Blend, Block, SasRecBlock, TextBlock

WEIGHTS = tuple((round(1 - id_, 2), id_) for id_ in (0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
"""(text, id): the text block alone, mixtures, the ID block alone. They sum to 1, since only ratios matter."""
SHRINKS = (0.0, 1.0, 5.0, 20.0)
PRIORS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.7)
"""A block is trained beside the whole prior, which is 1. More of it may still be right: on MovieLens-1M, leave-one-out,
the ID block alone has on validation 0.251 with 1 and 0.255 with 1.4 within an hour of the last event, later 0.077 and
0.081."""
TRENDS = (0.5, 1.0)
HALF_LIVES_DAYS = (3.0, 7.0, 30.0)
CHUNK = 250  # questions scored together: at 40,000 items each array of scores takes 40 MB


@dataclass(frozen=True)
class BlockParts:
    """What a blend is made of: scores of the two trained blocks and of the prior, for any question.

    n_events: (N,) training events. unseen_events: what an item without any counts as. prior: (N, PRIOR_DIM), see
    `app.scoring.prior`; its trend comes from `trends`. A block that is None scores 0.
    """

    histories: Histories
    n_events: IntArray
    unseen_events: float
    prior: FloatArray
    trends: Trends
    text: TextBlock | None
    id: SasRecBlock | None

    @torch.inference_mode()
    def scores(self, asked: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(Q, N) each: text, behaviour, prior; every question in its own context."""
        dataset = self.histories.dataset
        prior = self.prior[:, buckets_of(dataset.at_s[asked])].T
        return self._of(self.text, asked), self._of(self.id, asked), prior

    def mixed(self, blend: Blend, asked: IntArray) -> FloatArray:
        """(Q, N): the score but for the trend."""
        text, behaviour, prior = self.scores(asked)
        return mix(blend, text, self.trust(behaviour, blend.shrink), prior)

    def trend(self, asked: IntArray, half_life_days: float) -> FloatArray:
        """(Q, N), as it stood when each question was asked."""
        return self.trends.at(self.histories.dataset.at_s[asked], half_life_days)

    def trust(self, behaviour: FloatArray, shrink: float) -> FloatArray:
        """(Q, N): behaviour as far as it is trusted, and for items without events that of their twins."""
        share = (self.n_events / np.maximum(self.n_events + shrink, 1e-9)).astype(np.float32)
        trusted: FloatArray = behaviour * share
        newcomers, twins = self.newcomers
        trusted[:, newcomers] = trusted[:, twins]
        return trusted

    @cached_property
    def newcomers(self) -> tuple[IntArray, IntArray]:
        """(M,) rows without events, and the rows of their twins; see `app.scoring.newcomers`."""
        return find_twins(self.histories.text, self.n_events)

    def _of(self, block: Block | None, asked: IntArray) -> FloatArray:
        if block is None:
            return np.zeros((len(asked), self.histories.dataset.n_items), dtype=np.float32)
        device = next(block.parameters()).device
        return score_by_block(block, self.histories, asked, block.items(to_tensor(self.histories.text).to(device)))


@dataclass(frozen=True)
class BlendRanker:
    """Two blocks under a blend as a ranker."""

    name: str
    parts: BlockParts
    blend: Blend

    def scores(self, questions: IntArray) -> FloatArray:
        return add_trend(
            self.blend, self.parts.mixed(self.blend, questions), self.parts.trend(questions, self.blend.half_life_days)
        )


def mix(blend: Blend, text: FloatArray, trusted: FloatArray, prior: FloatArray) -> FloatArray:
    """(Q, N): the score but for the trend. trusted: what `BlockParts.trust` leaves of behaviour at this shrink."""
    return np.asarray(blend.text * text + blend.id * trusted + blend.prior * prior, dtype=np.float32)


def add_trend(blend: Blend, scores: FloatArray, trend: FloatArray) -> FloatArray:
    """(Q, N): the whole score. scores: as of `mix`."""
    return np.asarray(scores + blend.trend * trend, dtype=np.float32)


def choose_trend(blend: Blend, parts: BlockParts, asked: IntArray) -> tuple[Blend, float]:
    """The blend with the trend that is best on the questions `asked`, and its NDCG@10 there; first of all with none."""
    tried = [replace(blend, trend=trend, half_life_days=days) for days in HALF_LIVES_DAYS for trend in TRENDS]
    total = np.zeros(1 + len(tried))
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        scores = parts.mixed(blend, chunk)
        trends = {days: parts.trend(chunk, days) for days in HALF_LIVES_DAYS}
        for place, each in enumerate((blend, *tried)):
            whole = add_trend(each, scores, trends[each.half_life_days])
            total[place] += ndcg_at(rank_targets(parts.histories.dataset, chunk, whole), 10).sum()
    best = int(total.argmax())
    return (blend, *tried)[best], float(total[best] / len(asked))


def choose_blend(parts: BlockParts, asked: IntArray, among: Sequence[Blend] = ()) -> tuple[Blend, float]:
    """The best blend on the questions `asked`, and its NDCG@10 there; the first of equals.

    among: the blends to try; by default `list_blends()`, which holds each block alone, so that on these questions the
    blend loses to neither.
    """
    tried = among or list_blends()
    total = np.zeros(len(tried))
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        text, behaviour, prior = parts.scores(chunk)
        trusted = {shrink: parts.trust(behaviour, shrink) for shrink in {blend.shrink for blend in tried}}
        for place, blend in enumerate(tried):
            scores = mix(blend, text, trusted[blend.shrink], prior)
            ranks = rank_targets(parts.histories.dataset, chunk, scores)
            total[place] += ndcg_at(ranks, 10).sum()
    best = int(total.argmax())
    return tried[best], float(total[best] / len(asked))


def list_blends() -> list[Blend]:
    """All that are tried, the simplest first."""
    return [
        Blend(text=text, id=id_, shrink=shrink, prior=prior)
        for (text, id_), shrink, prior in product(WEIGHTS, SHRINKS, PRIORS)
        if id_ or shrink == SHRINKS[0]
    ]


def list_blends_of_one(*, text: bool) -> list[Blend]:
    """Those of the text block alone, or of the ID block alone, with more and more of the prior."""
    return [Blend(text=float(text), id=float(not text), shrink=0.0, prior=prior) for prior in PRIORS]
