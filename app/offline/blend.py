"""The blend's three free numbers, chosen on validation: how much the ID block, its shrinkage and the prior weigh."""

from itertools import product

import numpy as np

from app.domain import FloatArray, IntArray
from app.offline.metrics import ndcg_at
from app.offline.training import rank_unseen
from app.offline.windows import Histories
from models.space import Blend

ID_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
SHRINKS = (1.0, 5.0, 20.0)
PRIORS = (0.0, 0.1, 0.3)


def choose_blend(
    text: FloatArray,
    behaviour: FloatArray,
    prior: FloatArray,
    n_events: IntArray,
    histories: Histories,
    asked: IntArray,
) -> tuple[Blend, float]:
    """The best blend on the questions `asked`, and its NDCG@10 there.

    text, behaviour: (Q, N) scores of the two blocks, contexts applied. prior: (Q, N). n_events: (N,). The grid holds
    the text block alone, so on these questions the blend does not lose to it. To the ID block alone it can: the text
    weight is 1 throughout.
    """
    best = Blend(), -1.0
    for weight, shrink, share in product(ID_WEIGHTS, SHRINKS, PRIORS):
        if weight == 0 and shrink != SHRINKS[0]:
            continue
        trust = (n_events / (n_events + shrink)).astype(np.float32)
        ranks = rank_unseen(histories, asked, text + weight * behaviour * trust + share * prior)
        ndcg = float(ndcg_at(ranks, 10).mean())
        if ndcg > best[1]:
            best = Blend(text=1.0, id=weight, shrink=shrink, prior=share), ndcg
    return best
