"""The one space: a text block and an ID block side by side, and the blend that joins them.

    item vector      [ text block ; w_i * ID block ; prior block ]      w_i = n_i / (n_i + shrink)
    interest vector  [ text block ; ID block ]                          K of them; the ID block is the same in all
    query            interest * gate(context) + shift(context), then the prior's bucket and trend: what is asked

The two blocks are trained apart and their scores added, which no model of one mixed vector was found to beat on
sparse data (EnsRec); a brand-new item borrows its ID block from another (decision 0030). The blend's numbers are chosen
on validation; they are folded into the vectors, so an inner product is the whole score.
"""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.context_gate import ContextBatch, ContextGate
from models.events import EventBatch
from models.id_encoder import IdEncoder
from models.pooling import RecencyPooling
from models.user_encoder import UserEncoder


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes that a space is built from; stored in a bundle as `space.json`."""

    n_items: int
    text_dim: int
    block_dim: int
    id_dim: int
    interests: int
    max_events: int
    id_layers: int
    id_heads: int
    id_dropout: float
    text_dropout: float
    has_times: bool
    feature_sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Blend:
    """How the parts of a score are weighed: text * s_text + id * w_i * s_id + prior * log-popularity in context + trend
    * how that has moved lately.

    shrink: events after which the ID block counts half. half_life_days: of what "lately" means.
    """

    text: float = 1.0
    id: float = 1.0
    shrink: float = 5.0
    prior: float = 0.0
    trend: float = 0.0
    half_life_days: float = 7.0

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


START_LENGTH = 10.0
"""Of interest vectors before training: logits of unit item vectors then spread enough to learn from."""


class TextBlock(nn.Module):
    """The projection of text vectors, the mean of the last items, what the user LLM adds, and this block's gate."""

    def __init__(self, shape: Shape, transformer: nn.Module) -> None:
        super().__init__()
        self.max_events = shape.max_events
        self.encoder = UserEncoder(
            transformer,
            text_dim=shape.text_dim,
            n_items=shape.n_items,
            interests=shape.interests,
            dim=shape.block_dim,
            dropout=shape.text_dropout,
            has_times=shape.has_times,
        )
        self.pooling = RecencyPooling(shape.interests, has_times=shape.has_times)
        self.log_scale = nn.Parameter(torch.tensor(START_LENGTH).log())
        self.projection = nn.Linear(shape.text_dim, shape.block_dim, bias=False)
        self.gate = ContextGate(shape.block_dim, shape.feature_sizes)

    @torch.no_grad()
    def start_projection(self, text: Tensor) -> None:
        """Begin at the principal directions of the catalogue's text: the projection that keeps cosines best."""
        directions = torch.linalg.svd(text, full_matrices=False).Vh[: self.projection.out_features]
        self.projection.weight[: len(directions)] = directions

    def items(self, text: Tensor) -> Tensor:
        """(n, T) text vectors of items, or of any phrase, to unit vectors (n, block_dim)."""
        return F.normalize(self.projection(text), dim=-1)

    def interests(self, events: EventBatch) -> Tensor:
        """(B, H, K, block_dim), after each event."""
        about = self.pooling(self.items(events.text), events)
        return (about + self.encoder(events)) * self.log_scale.exp()

    def read(self, events: EventBatch) -> Tensor:
        """(B, K, block_dim), after the last event."""
        about = self.pooling.read(self.items(events.text), events)
        return (about + self.encoder.read(events)) * self.log_scale.exp()


class SasRecBlock(nn.Module):
    """SASRec and the gate of its block: what our ID block is held against, and what it grew out of."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.max_events = shape.max_events
        self.encoder = IdEncoder(
            n_items=shape.n_items,
            dim=shape.id_dim,
            layers=shape.id_layers,
            heads=shape.id_heads,
            max_events=shape.max_events,
            dropout=shape.id_dropout,
            has_times=shape.has_times,
        )
        self.gate = ContextGate(shape.id_dim, shape.feature_sizes)

    def items(self, _text: Tensor) -> Tensor:
        """(N, id_dim) of every item trained on, in row order; text tells this block nothing."""
        return self.encoder.item_vectors()

    def interests(self, events: EventBatch) -> Tensor:
        """(B, H, 1, id_dim), after each event."""
        return self.encoder(events).unsqueeze(2)

    def read(self, events: EventBatch) -> Tensor:
        """(B, 1, id_dim), after the last event."""
        return self.encoder.read(events).unsqueeze(1)


class IdBlock(SasRecBlock):
    """The ID side-car: the mean of the last items' own vectors and what a SASRec adds to it, which at first is nothing.

    Together with item vectors that start from what stands beside what (`start_items`), a history so begins by asking
    for items that follow its last ones, and training goes on from there; see docs/decisions.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.encoder.add_nothing_yet()
        self.pooling = RecencyPooling(1, has_times=shape.has_times)
        self.head = nn.Linear(shape.id_dim, shape.id_dim)
        self.log_scale = nn.Parameter(torch.tensor(0.0))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @torch.no_grad()
    def start_items(self, vectors: Tensor) -> None:
        """Begin with these, (N, id_dim); an item whose vector is 0 keeps the random one that it has."""
        known = vectors.norm(dim=1) > 1e-6
        self.encoder.items.weight[1:][known] = vectors[known]

    def interests(self, events: EventBatch) -> Tensor:
        about = self.pooling(self.encoder.items(events.rows), events)
        return (about + self.head(self.encoder(events)).unsqueeze(2)) * self.log_scale.exp()

    def read(self, events: EventBatch) -> Tensor:
        return self.interest_of(self.encoder.read(events), events)

    def interest_of(self, states: Tensor, events: EventBatch) -> Tensor:
        """(B, 1, id_dim) from the encoder's (B, id_dim) after the last event: the request head."""
        about = self.pooling.read(self.encoder.items(events.rows), events)
        return (about + self.head(states).unsqueeze(1)) * self.log_scale.exp()


Block = TextBlock | SasRecBlock


class Space(nn.Module):
    """Both blocks, joined. Serving and evaluation see the model through this class alone."""

    def __init__(self, shape: Shape, text: TextBlock, id: IdBlock, blend: Blend | None = None) -> None:  # noqa: A002
        super().__init__()
        self.shape = shape
        self.blend = blend or Blend()
        self.text = text
        self.id = id

    def interests(self, events: EventBatch) -> Tensor:
        """(B, K, block_dim + id_dim), before the gate."""
        text = self.text.read(events) * self.blend.text  # (B, K, block_dim)
        behaviour = self.id.read(events) * self.blend.id  # (B, 1, id_dim)
        return torch.cat([text, behaviour.expand(-1, text.shape[1], -1)], dim=-1)

    @property
    def history_scale(self) -> float:
        """What the ID block of an interest is of the mean of the items read, before its encoder adds to it."""
        return self.blend.id * float(self.id.log_scale.detach().exp())

    def gate(self, context: ContextBatch) -> Tensor:
        """(B, block_dim + id_dim), each number in (0, 2)."""
        return torch.cat([self.text.gate(context), self.id.gate(context)], dim=-1)

    def shift(self, context: ContextBatch) -> Tensor:
        """(B, block_dim + id_dim), weighed as the interests are."""
        text, behaviour = self.text.gate.shift(context), self.id.gate.shift(context)
        return torch.cat([text * self.blend.text, behaviour * self.blend.id], dim=-1)

    def ask(self, interests: Tensor, context: ContextBatch) -> Tensor:
        """(B, K, block_dim + id_dim) queries of `interests()`, before the prior."""
        return interests * self.gate(context).unsqueeze(1) + self.shift(context).unsqueeze(1)

    def item_vectors(self, text: Tensor, n_events: Tensor) -> Tensor:
        """(N, block_dim + id_dim) of the items trained on. text: (N, T). n_events: (N,) their training events."""
        weight = n_events / (n_events + self.blend.shrink).clamp(min=1e-9)  # without events 0, also unshrunk
        return torch.cat([self.text.items(text), self.id.items(text) * weight.unsqueeze(-1)], dim=-1)

    def phrase_vectors(self, text: Tensor) -> Tensor:
        """(n, block_dim + id_dim) of texts, nothing in the ID block. text: (n, T)."""
        return F.pad(self.text.items(text), (0, self.shape.id_dim))
