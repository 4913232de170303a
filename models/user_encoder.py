"""The user LLM: a pretrained causal transformer reads a history of events and writes K interest vectors.

Each event enters through `inputs_embeds` as its item's text vector plus what was done, when, and how long after the
last one; the model reads events as it once read words. Sources: HLLM (Chen et al. 2024), section 3, for items as
tokens of a user LLM; PinnerFormer and KuaiFormer for several interest vectors a user; Let It Go (Ganiev et al. 2025)
for the bounded trainable delta on frozen text vectors.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.events import EventBatch, EventFeatures, TimeBias
from models.quiet import quiet_transformers

DELTA_BOUND = 0.5  # a learned delta moves a unit text vector by at most half its length
DELTA_DROPOUT = 0.2  # share of events whose delta is left out, so that text alone stays readable
HEAD_DIM = 256
TOKEN_DIM = 512


class EventTokens(nn.Module):
    """Events to the transformer's input: MLP(text + delta) + features. A linear map here loses badly (FirstPR)."""

    def __init__(self, text_dim: int, n_items: int, hidden: int) -> None:
        super().__init__()
        self.delta = nn.Embedding(n_items + 1, text_dim, padding_idx=0)
        self.mlp = nn.Sequential(nn.Linear(text_dim, TOKEN_DIM), nn.GELU(), nn.Linear(TOKEN_DIM, hidden))
        self.features = EventFeatures(hidden)
        nn.init.zeros_(self.delta.weight)

    def forward(self, events: EventBatch) -> Tensor:
        """(B, H, hidden)."""
        delta = self.delta(events.rows)
        delta = delta * (DELTA_BOUND / delta.norm(dim=-1, keepdim=True).clamp(min=DELTA_BOUND))
        if self.training:
            delta = delta * (torch.rand_like(delta[..., :1]) >= DELTA_DROPOUT)
        return self.mlp(events.text + delta) + self.features(events)


class InterestHead(nn.Module):
    """A state and K learned interest queries to K vectors. A plain MLP: well under a millisecond a request.

    Starts at zero, so that an interest begins as what `models.pooling` makes of the last items.
    """

    def __init__(self, hidden: int, interests: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.state = nn.Linear(hidden, HEAD_DIM)
        self.queries = nn.Parameter(torch.randn(interests, HEAD_DIM) * 0.5)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(HEAD_DIM, dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, states: Tensor) -> Tensor:
        """(..., hidden) to (..., K, dim)."""
        return self.out(self.dropout(F.gelu(self.state(states).unsqueeze(-2) + self.queries)))


class UserEncoder(nn.Module):
    """B histories to what the user LLM adds to each interest, in the text block."""

    def __init__(
        self,
        transformer: nn.Module,
        *,
        text_dim: int,
        n_items: int,
        interests: int,
        dim: int,
        dropout: float,
        has_times: bool,
    ) -> None:
        super().__init__()
        hidden, heads = transformer.config.hidden_size, transformer.config.num_attention_heads
        self.tokens = EventTokens(text_dim, n_items, hidden)
        self.time_bias = TimeBias(heads, has_times=has_times)
        self.transformer = transformer
        self.dropout = nn.Dropout(dropout)
        self.head = InterestHead(hidden, interests, dim, dropout)

    def states(self, events: EventBatch) -> Tensor:
        """(B, H, hidden): the state after each event, of that event and earlier ones only."""
        return self.transformer(
            inputs_embeds=self.dropout(self.tokens(events)), attention_mask=self.time_bias(events.at_s), use_cache=False
        ).last_hidden_state

    def forward(self, events: EventBatch) -> Tensor:
        """(B, H, K, dim): what the user's interests were after each event."""
        return self.head(self.states(events))

    def read(self, events: EventBatch) -> Tensor:
        """(B, K, dim): interests after the last event."""
        states = self.states(events)
        return self.head(states[torch.arange(len(states), device=states.device), events.lengths - 1])


def load_user_transformer(folder: Path, layers: int, *, pretrained: bool = True) -> nn.Module:
    """The first `layers` layers of a Hugging Face model on disk, without its word table.

    A bidirectional model (BERT's kin) serves too: the mask it is given is causal. pretrained=False gives the same
    shape with random weights, for ablation.
    """
    from transformers import AutoConfig, AutoModel  # here, not above: importing transformers takes seconds

    quiet_transformers()
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    config.num_hidden_layers = layers
    if pretrained:
        transformer = AutoModel.from_pretrained(folder, config=config, local_files_only=True, dtype=torch.float32)
    else:
        transformer = AutoModel.from_config(config, dtype=torch.float32)
    return _without_words(transformer)


def build_user_transformer(config: dict[str, object]) -> nn.Module:
    """The transformer that a bundle's `space.json` describes, weights still to be loaded."""
    from transformers import AutoConfig, AutoModel

    fields = {name: value for name, value in config.items() if name != "model_type"}
    return _without_words(AutoModel.from_config(AutoConfig.for_model(str(config["model_type"]), **fields)))


def _without_words(transformer: nn.Module) -> nn.Module:
    """Drop what events never touch: the word table (half of MiniLM's weights) and the pooler."""
    transformer.set_input_embeddings(nn.Embedding(1, transformer.config.hidden_size))
    if getattr(transformer, "pooler", None) is not None:
        transformer.pooler = None
    return transformer
