"""The blend's free numbers, chosen on validation: how much each block, the shrinkage and the prior weigh."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from app.domain import FloatArray, IntArray
from app.offline.metrics import ndcg_at
from app.offline.questions import rank_targets
from app.offline.training import score_by_block
from app.offline.windows import Histories
from app.scoring.prior import buckets_of
from models.events import to_tensor
from models.space import Blend, Block, SasRecBlock, TextBlock

WEIGHTS = tuple((round(1 - id_, 2), id_) for id_ in (0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
"""(text, id): the text block alone, mixtures, the ID block alone. They sum to 1, since only ratios matter; a block is
trained beside the whole prior, so the prior is tried up to 1 as well."""
SHRINKS = (0.0, 1.0, 5.0, 20.0)
PRIORS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
CHUNK = 250  # questions scored together: at 40,000 items each array of scores takes 40 MB


@dataclass(frozen=True)
class BlockParts:
    """What a blend is made of: scores of the two trained blocks and of the prior, for any question.

    n_events: (N,) training events. prior: (N, M), see `app.scoring.prior`. A block that is None scores 0.
    """

    histories: Histories
    n_events: IntArray
    prior: FloatArray
    text: TextBlock | None
    id: SasRecBlock | None

    @torch.inference_mode()
    def scores(self, asked: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(Q, N) each: text, behaviour, prior; every question in its own context."""
        dataset = self.histories.dataset
        prior = self.prior[:, buckets_of(dataset.at_s[asked])].T
        return self._of(self.text, asked), self._of(self.id, asked), prior

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
        return mix(self.blend, self.parts.n_events, *self.parts.scores(questions))


def mix(blend: Blend, n_events: IntArray, text: FloatArray, behaviour: FloatArray, prior: FloatArray) -> FloatArray:
    """(Q, N): the whole score."""
    trust = (n_events / np.maximum(n_events + blend.shrink, 1e-9)).astype(np.float32)
    return np.asarray(blend.text * text + blend.id * behaviour * trust + blend.prior * prior, dtype=np.float32)


def choose_blend(parts: BlockParts, asked: IntArray, among: Sequence[Blend] = ()) -> tuple[Blend, float]:
    """The best blend on the questions `asked`, and its NDCG@10 there; the first of equals.

    among: the blends to try; by default `list_blends()`, which holds each block alone, so that on these questions the
    blend loses to neither.
    """
    tried = among or list_blends()
    total = np.zeros(len(tried))
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        scores = parts.scores(chunk)
        for place, blend in enumerate(tried):
            ranks = rank_targets(parts.histories.dataset, chunk, mix(blend, parts.n_events, *scores))
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
