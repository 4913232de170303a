"""What the towers learn from. All of them are softmax cross-entropies over items that have training events.

A full-catalogue softmax pushes items that nobody has touched yet below random; they are left out of it (LIGER, Yang et
al. 2024, makes the same observation), which costs warm items nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def interest_cross_entropy(interests: Tensor, items: Tensor, targets: Tensor, log_prior: Tensor) -> Tensor:
    """Cross-entropy of the best interest's score, as serving scores: s_i = max_k u_k . x_i + prior_i.

    interests: (P, K, D), gate applied. items: (N, D), those in the softmax. targets: (P,) places in `items`.
    log_prior: (N,), or zeros. What popularity explains is then not learned by the vectors: they tell taste, and how
    much popularity counts is left to the blend (Menon et al. 2021, logit adjustment).
    """
    if interests.shape[1] == 1:  # the maximum of one, and its gradient, would cost a third of a step
        return F.cross_entropy(interests[:, 0] @ items.T + log_prior, targets)
    logits = (interests @ items.T).amax(dim=1)  # (P, N); max, not mean: an item needs to please one interest
    return F.cross_entropy(logits + log_prior, targets)


def mean_interest_cross_entropy(interests: Tensor, items: Tensor, targets: Tensor, log_prior: Tensor) -> Tensor:
    """The same for the mean of the interests: keeps each of them anchored while the maximum trains one at a time."""
    return F.cross_entropy(interests.mean(dim=1) @ items.T + log_prior, targets)


def routing_balance(interests: Tensor, items: Tensor, targets: Tensor) -> Tensor:
    """How far the shares of targets won by each interest are from equal, in nats: 0 when balanced, ln K at collapse.

    Source: REMI (Xie et al. 2023), section 4.3, routing collapse of multi-interest models.
    """
    won = torch.einsum("pkd,pd->pk", interests, items[targets]).softmax(dim=1).mean(dim=0)
    return (won * (won * len(won)).clamp(min=1e-9).log()).sum()


def in_batch_cross_entropy(left: Tensor, right: Tensor, rows: Tensor, log_share: Tensor, temperature: float) -> Tensor:
    """Pairs (left_b, right_b), the other rights of the batch as negatives, each corrected by how often it turns up.

    left, right: (B, D) unit vectors. rows: (B,) item rows of the rights: an item drawn twice is no negative of itself
    (its two vectors differ where there is dropout, so they cannot tell). log_share: (B,) log of each right item's share
    among drawn rights. The correction (logQ; Yi et al. 2019, section 3) keeps popular items from being punished for
    being drawn often.
    """
    logits = left @ right.T / temperature - log_share
    same = (rows.unsqueeze(0) == rows.unsqueeze(1)).fill_diagonal_(False)
    logits = logits.masked_fill(same, float("-inf"))
    return F.cross_entropy(logits, torch.arange(len(left), device=left.device))


def tether(vectors: Tensor, original: Tensor) -> Tensor:
    """Mean squared distance to where the pretrained model put the same texts: keeps words meaning what they meant."""
    return (vectors - original).square().sum(dim=-1).mean()


def similarity_tether(projected: Tensor, original: Tensor) -> Tensor:
    """The same for a projection to fewer dimensions: pairwise cosines must stay. projected, original: unit rows."""
    return (projected @ projected.T - original @ original.T).square().mean()
