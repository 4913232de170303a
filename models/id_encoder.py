"""The ID side-car: what behaviour alone tells, in a block of its own.

SASRec (Kang and McAuley 2018) with the full-softmax cross-entropy that makes it strong (Klenitskiy and Vasilev 2023),
input and output sharing one table of item vectors, plus the same event features and time bias as the user LLM.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.events import EventBatch, EventFeatures, TimeBias


class IdEncoder(nn.Module):
    """B histories to one vector each in the ID block; items never trained on read as "something unknown"."""

    def __init__(
        self, *, n_items: int, dim: int, layers: int, heads: int, max_events: int, dropout: float, has_times: bool
    ) -> None:
        super().__init__()
        self.items = nn.Embedding(n_items + 1, dim)
        self.places = nn.Embedding(max_events, dim)
        self.features = EventFeatures(dim)
        self.time_bias = TimeBias(heads, has_times=has_times)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(_Layer(dim, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        nn.init.normal_(self.items.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)

    def add_nothing_yet(self) -> None:
        """Start with layers that pass on what they read: a random one would stir good item vectors first."""
        for layer in self.blocks:
            layer.start_at_zero()

    def forward(self, events: EventBatch) -> Tensor:
        """(B, H, dim): the user after each event."""
        return self.advance(events, self.time_bias(events.at_s))[0]

    def advance(
        self, events: EventBatch, mask: Tensor, past: Sequence[tuple[Tensor, Tensor]] = ()
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """(B, H, dim), the user after each of H events that follow those of `past`, and keys and values of them all.

        mask: (B, heads, H, P + H), P events in `past`, each of whose layers has keys and values (B, heads, P, d).
        """
        before = past[0][0].shape[2] if past else 0
        places = torch.arange(before, before + events.rows.shape[1], device=events.rows.device)
        tokens = self.dropout(self.items(events.rows) + self.places(places) + self.features(events))
        seen = []
        for place, block in enumerate(self.blocks):
            tokens, keys_and_values = block(tokens, mask, past[place] if past else None)
            seen.append(keys_and_values)
        return self.norm(tokens), seen

    def read(self, events: EventBatch) -> Tensor:
        """(B, dim): the user after the last event."""
        states = self(events)
        return states[torch.arange(len(states), device=states.device), events.lengths - 1]

    def item_vectors(self) -> Tensor:
        """(N, dim), in row order, less their mean.

        A softmax does not care what is added to all scores alike, so the mean score of a user is anything. Without the
        mean it is 0, and that is what an item without events scores: it stands where an average item does.
        """
        vectors = self.items.weight[1:]
        return vectors - vectors.mean(dim=0)


class _Layer(nn.Module):
    """Pre-norm attention and feed-forward. torch's own TransformerEncoderLayer takes a fast path outside training that
    answers NaN for a float mask with -inf in it (seen with torch 2.13)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.rate = dropout
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.forward_norm = nn.LayerNorm(dim)
        self.forward_layers = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * dim, dim)
        )
        self.dropout = nn.Dropout(dropout)

    def start_at_zero(self) -> None:
        for last in (self.out, self.forward_layers[-1]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(
        self, tokens: Tensor, mask: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        attended, seen = self._attend(self.attention_norm(tokens), mask, past)
        tokens = tokens + self.dropout(attended)
        return tokens + self.dropout(self.forward_layers(self.forward_norm(tokens))), seen

    def _attend(
        self, tokens: Tensor, mask: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        qkv = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (3, B, heads, H, dim/heads)
        queries, keys, values = qkv.unbind(0)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        rate = self.rate if self.training else 0.0
        attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, dropout_p=rate)
        return self.out(attended.transpose(1, 2).flatten(2)), (keys, values)
