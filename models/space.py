"""The one space: a text block, a words block and an ID block side by side, and the blend that joins them.

    item vector      [ text block ; words block ; w_i * ID block ; prior block ]    w_i = n_i / (n_i + shrink)
    interest vector  [ text block ; 0           ; ID block ]        K of them; the ID block is the same in all
    words vector     [ 0          ; words block ; ID block ]        what somebody says; see decision 0031
    query            interest * gate(context) + shift(context), then the prior's bucket and trend: what is asked

Text block and ID block are trained apart and their scores added, which no model of one mixed vector was found to beat
on sparse data (EnsRec); a brand-new item borrows its ID block from another (decision 0030). The words block is not
trained. The blend's numbers are chosen on validation; they are folded into the vectors, so an inner product is the
whole score.
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
    words_dim: int = 0

    @property
    def texts(self) -> slice:
        """Columns of what an item's text tells: the text block and the words block."""
        return slice(0, self.block_dim + self.words_dim)

    @property
    def words(self) -> slice:
        """Columns of the words block."""
        return slice(self.block_dim, self.block_dim + self.words_dim)

    @property
    def behaviour(self) -> slice:
        """Columns of the ID block."""
        return slice(self.texts.stop, self.dim)

    @property
    def dim(self) -> int:
        """D: all of a vector but the prior block."""
        return self.block_dim + self.words_dim + self.id_dim


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


class WordsBlock(nn.Module):
    """What texts say: vectors of the pretrained model as it came, along the catalogue's principal directions.

    Nothing here is trained. A tuned encoder and a trained projection know the texts that they were trained on better
    than others: asked for films by their very titles, they had 84% of them in the first ten, this block 99.7%.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.directions = nn.Linear(shape.text_dim, shape.words_dim, bias=False).requires_grad_(requires_grad=False)

    @torch.no_grad()
    def start(self, words: Tensor) -> None:
        """Lay the directions through a catalogue, (N, T) vectors of the pretrained model: few items span fewer."""
        found = torch.linalg.svd(words, full_matrices=False).Vh[: self.directions.out_features]
        self.directions.weight.zero_()
        self.directions.weight[: len(found)] = found

    def forward(self, words: Tensor) -> Tensor:
        """(n, T) vectors of the pretrained model to unit vectors (n, words_dim)."""
        return F.normalize(self.directions(words), dim=-1)


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
        self.words = WordsBlock(shape)
        self.id = id

    def interests(self, events: EventBatch) -> Tensor:
        """(B, K, D), before the gate."""
        return self.join(self.text.read(events) * self.blend.text, self.id.read(events) * self.blend.id)

    def join(self, text: Tensor, behaviour: Tensor) -> Tensor:
        """(B, K, D) interests, which say nothing in words. text: (B, K, block_dim). behaviour: (B, 1, id_dim)."""
        return torch.cat([F.pad(text, (0, self.shape.words_dim)), behaviour.expand(-1, text.shape[1], -1)], dim=-1)

    @property
    def history_scale(self) -> float:
        """What the ID block of an interest is of the mean of the items read, before its encoder adds to it."""
        return self.blend.id * float(self.id.log_scale.detach().exp())

    def gate(self, context: ContextBatch) -> Tensor:
        """(B, D), each number in (0, 2). What words say they say in any context."""
        text = F.pad(self.text.gate(context), (0, self.shape.words_dim), value=1.0)
        return torch.cat([text, self.id.gate(context)], dim=-1)

    def shift(self, context: ContextBatch) -> Tensor:
        """(B, D), weighed as the interests are."""
        text, behaviour = self.text.gate.shift(context) * self.blend.text, self.id.gate.shift(context) * self.blend.id
        return torch.cat([F.pad(text, (0, self.shape.words_dim)), behaviour], dim=-1)

    def ask(self, interests: Tensor, context: ContextBatch) -> Tensor:
        """(B, K, D) queries of `interests()`, before the prior."""
        return interests * self.gate(context).unsqueeze(1) + self.shift(context).unsqueeze(1)

    def item_vectors(self, text: Tensor, words: Tensor, n_events: Tensor) -> Tensor:
        """(N, D) of the items trained on. text, words: (N, T). n_events: (N,) their training events."""
        weight = n_events / (n_events + self.blend.shrink).clamp(min=1e-9)  # without events 0, also unshrunk
        behaviour = self.id.items(text) * weight.unsqueeze(-1)
        return torch.cat([self.text.items(text), self.words(words), behaviour], dim=-1)

    def text_vectors(self, text: Tensor, words: Tensor) -> Tensor:
        """(n, D) of texts as items have them, nothing in the ID block. text, words: (n, T)."""
        return F.pad(torch.cat([self.text.items(text), self.words(words)], dim=-1), (0, self.shape.id_dim))

    def words_vectors(self, words: Tensor) -> Tensor:
        """(n, D) of what somebody says, in the words block alone. words: (n, T)."""
        return F.pad(self.words(words), (self.shape.block_dim, self.shape.id_dim))
