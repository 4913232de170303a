"""What the last events were about: a mean of their items' own vectors, later ones weighing more, one mean an interest.

An interest is this mean plus what the user LLM adds to it. So before any training an interest asks for items like the
last ones, which on sparse catalogues is hard to beat, and training goes on from there: on Beauty 2014 one epoch then
ranks targets with 1 to 5 training events at NDCG@10 0.034 where the LLM alone had 0.002 (see docs/decisions).
"""

import torch
from torch import Tensor, nn

from models.events import N_GAPS, N_WEIGHTS, EventBatch, elapsed_buckets

FAR = 64  # events further back all count as this far
SLOWEST, FASTEST = 0.02, 1.0  # fading an event: the first interest hardly looks past the last one, the last far back
REFUSED = -4.0  # log-weight of refusals at the start: an event disliked tells little of what is liked


class RecencyPooling(nn.Module):
    """Weights softmax_j(far_k[i - j] + elapsed_k[t_i - t_j] + weight_k[w_j]), all three tables learned."""

    def __init__(self, interests: int, *, has_times: bool) -> None:
        super().__init__()
        rates = torch.logspace(0, 1, interests, base=SLOWEST / FASTEST) * FASTEST if interests > 1 else [0.36]
        self.far = nn.Parameter(-torch.arange(FAR).float().unsqueeze(1) * torch.as_tensor(rates))  # (FAR, K)
        self.elapsed = nn.Embedding(N_GAPS, interests)
        self.weight = nn.Embedding(N_WEIGHTS, interests)
        self.has_times = has_times
        nn.init.zeros_(self.elapsed.weight)
        nn.init.zeros_(self.weight.weight)
        with torch.no_grad():
            self.weight.weight[:2] = REFUSED

    def forward(self, vectors: Tensor, events: EventBatch) -> Tensor:
        """vectors: (B, H, D) of the events' items. (B, H, K, D): the mean after each event, of it and earlier ones."""
        places = torch.arange(vectors.shape[1], device=vectors.device)
        back = places.unsqueeze(1) - places.unsqueeze(0)  # (H, H)
        scores = self.far[back.clamp(0, FAR - 1)] + self.weight(events.weights).unsqueeze(1)  # (B, H, H, K)
        if self.has_times:
            scores = scores + self.elapsed(elapsed_buckets(events.at_s.unsqueeze(2) - events.at_s.unsqueeze(1)))
        shares = scores.masked_fill((back < 0).unsqueeze(-1), float("-inf")).softmax(dim=2)
        return torch.einsum("bijk,bjd->bikd", shares, vectors)

    def read(self, vectors: Tensor, events: EventBatch) -> Tensor:
        """(B, K, D): the mean after the last event, without the work for those before."""
        last = (events.lengths - 1).unsqueeze(1)  # (B, 1)
        back = last - torch.arange(vectors.shape[1], device=vectors.device)  # (B, H)
        scores = self.far[back.clamp(0, FAR - 1)] + self.weight(events.weights)  # (B, H, K)
        if self.has_times:
            scores = scores + self.elapsed(elapsed_buckets(events.at_s.gather(1, last) - events.at_s))
        shares = scores.masked_fill((back < 0).unsqueeze(-1), float("-inf")).softmax(dim=1)
        return torch.einsum("bjk,bjd->bkd", shares, vectors)
