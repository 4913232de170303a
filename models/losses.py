"""What the towers learn from. All of them are softmax cross-entropies over items that have training events.

A full-catalogue softmax pushes items that nobody has touched yet below random; they are left out of it (LIGER, Yang et
al. 2024, makes the same observation), which costs warm items nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def interest_cross_entropy(interests: Tensor, items: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
    """Cross-entropy of the best interest's score, as serving scores: s_i = max_k u_k . x_i.

    interests: (P, K, D), gate applied. items: (N, D). targets: (P,) rows. allowed: (N,) bool, items in the softmax.
    """
    logits = (interests @ items.T).amax(dim=1)  # (P, N); max, not mean: an item needs to please one interest
    return F.cross_entropy(logits.masked_fill(~allowed, float("-inf")), targets)


def mean_interest_cross_entropy(interests: Tensor, items: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
    """The same for the mean of the interests: keeps each of them anchored while the maximum trains one at a time."""
    logits = interests.mean(dim=1) @ items.T
    return F.cross_entropy(logits.masked_fill(~allowed, float("-inf")), targets)


def routing_balance(interests: Tensor, items: Tensor, targets: Tensor) -> Tensor:
    """How far the shares of targets won by each interest are from equal, in nats: 0 when balanced, ln K at collapse.

    Source: REMI (Xie et al. 2023), section 4.3, routing collapse of multi-interest models.
    """
    won = torch.einsum("pkd,pd->pk", interests, items[targets]).softmax(dim=1).mean(dim=0)
    return (won * (won * len(won)).clamp(min=1e-9).log()).sum()


def in_batch_cross_entropy(left: Tensor, right: Tensor, log_share: Tensor, temperature: float) -> Tensor:
    """Pairs (left_b, right_b), the other rights of the batch as negatives, each corrected by how often it turns up.

    left, right: (B, D) unit vectors. log_share: (B,) log of each right item's share among drawn rights. The correction
    (logQ; Yi et al. 2019, section 3) keeps popular items from being punished for being drawn often.
    """
    logits = left @ right.T / temperature - log_share
    same = (right @ right.T) > 1 - 1e-6  # the same item drawn twice is no negative of itself
    logits = logits.masked_fill(same & ~torch.eye(len(left), dtype=torch.bool, device=left.device), float("-inf"))
    return F.cross_entropy(logits, torch.arange(len(left), device=left.device))


def tether(vectors: Tensor, original: Tensor) -> Tensor:
    """Mean squared distance to where the pretrained model put the same texts: keeps words meaning what they meant."""
    return (vectors - original).square().sum(dim=-1).mean()


def similarity_tether(projected: Tensor, original: Tensor) -> Tensor:
    """The same for a projection to fewer dimensions: pairwise cosines must stay. projected, original: unit rows."""
    return (projected @ projected.T - original @ original.T).square().mean()
