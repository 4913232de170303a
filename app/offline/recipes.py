"""Training recipes: every number a training run depends on, by name."""

import hashlib
import json
from dataclasses import asdict, dataclass

from app.errors import DataError


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to train and for how long. Rates are AdamW's; epochs are passes over all training events."""

    name: str
    # item encoder
    pair_steps: int = 50
    pair_batch: int = 48
    pair_rate: float = 1e-3
    lora_rank: int = 16
    lora_layers: int = 2
    pair_temperature: float = 0.05
    tether: float = 0.3
    # shared by both blocks
    history_events: int = 50
    batch_tokens: int = 800
    weight_decay: float = 0.01
    warm_up: float = 0.05
    clip: float = 1.0
    # text block
    user_model: str = "minilm"
    user_layers: int = 2
    block_dim: int = 128
    interests: int = 4
    text_epochs: int = 3
    text_events: int = 2_000_000  # or as many epochs as make this many events
    text_patience: int = 2
    text_dropout: float = 0.2
    body_rate: float = 1e-4
    head_rate: float = 1e-3
    mean_interest: float = 0.5
    routing: float = 0.1
    # ID block
    id_dim: int = 64
    id_layers: int = 2
    id_heads: int = 2
    id_window: int = 3
    id_dropout: float = 0.2
    id_dropout_sparse: float = 0.5  # where items have few events, see `app.offline.sizing`
    id_batch_tokens: int = 3_200  # at most
    id_epochs: int = 8
    id_patience: int = 3
    id_rate: float = 2e-3

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    @property
    def digest(self) -> str:
        """Eight hex digits that change with every number of the recipe: work of another one is never gone on with."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:8]


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("tiny", pair_steps=2, pair_batch=8, text_epochs=1, id_epochs=2, history_events=20, user_layers=1),
        Recipe("fast"),
        Recipe(
            "cpu",
            pair_steps=300,
            history_events=100,
            batch_tokens=1_600,
            user_model="smollm2",
            text_epochs=6,
            id_dim=128,
        ),
        Recipe(
            "gpu",
            pair_steps=1_000,
            pair_batch=256,
            lora_layers=6,
            history_events=200,
            batch_tokens=8_000,
            user_model="smollm2",
            user_layers=6,
            text_epochs=40,
            text_events=40_000_000,
            text_patience=6,
            id_dim=256,
            id_heads=4,
            id_epochs=20,
            id_patience=5,
        ),
    )
}


def get_recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise DataError(f"no recipe {name!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[name]
