"""Stage one of training: the item encoder learns which texts are liked by the same people.

LoRA on the last layers of the pretrained model (the layers below stay as they are and are not even differentiated),
on pairs of items that one user met within three steps, in-batch negatives corrected for popularity, and a tether to
where the pretrained model put the same texts, so that words go on meaning what they meant.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from rich.progress import Progress

from app.domain import IntArray
from app.errors import DataError
from app.offline.dataset import Dataset
from app.offline.recipes import Recipe
from app.offline.split import Split
from models.item_encoder import ItemEncoder
from models.losses import in_batch_cross_entropy, tether

MAX_STEPS_APART = 3


def tune_item_encoder(
    encoder: ItemEncoder,
    texts: Sequence[str],
    dataset: Dataset,
    split: Split,
    recipe: Recipe,
    *,
    seed: int,
    progress: Progress,
) -> ItemEncoder:
    """The encoder with its LoRA layers merged back, ready to encode. `encoder` itself is used up."""
    from peft import LoraConfig, get_peft_model

    pairs = draw_pairs(dataset, split, recipe.pair_steps * recipe.pair_batch, np.random.default_rng([seed, 1]))
    log_share = np.log(np.bincount(pairs[:, 1], minlength=dataset.n_items).clip(min=1) / len(pairs))
    original = encoder.encode(list(texts))
    torch.manual_seed(seed)
    lora = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=2 * recipe.lora_rank,
        lora_dropout=0.05,
        target_modules=_linear_layers(encoder.transformer, last=recipe.lora_layers),
    )
    with warnings.catch_warnings():  # peft 0.21 calls a name that transformers 5.24 has renamed
        warnings.simplefilter("ignore", FutureWarning)
        encoder.transformer = get_peft_model(encoder.transformer, lora)
    trainable = [weights for weights in encoder.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=recipe.pair_rate, weight_decay=recipe.weight_decay)
    encoder.train()
    for step in progress.track(range(recipe.pair_steps), description="item encoder"):
        batch = pairs[step * recipe.pair_batch : (step + 1) * recipe.pair_batch]
        vectors = encoder([texts[row] for row in batch.T.ravel().tolist()])
        left, right = vectors.chunk(2)
        share = torch.from_numpy(log_share[batch[:, 1]]).float().to(left.device)
        rows = torch.from_numpy(batch[:, 1]).to(left.device)
        loss = in_batch_cross_entropy(left, right, rows, share, recipe.pair_temperature)
        loss = loss + recipe.tether * tether(vectors, original[batch.T.ravel()].to(left.device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    encoder.transformer = encoder.transformer.merge_and_unload()
    return encoder.eval()


def draw_pairs(dataset: Dataset, split: Split, n: int, rng: np.random.Generator) -> IntArray:
    """(n, 2) item rows of two training events of one user, at most MAX_STEPS_APART events apart, either way round.

    Raises DataError where no user has two training events on different items.
    """
    positions = np.flatnonzero(split.train)
    first = rng.integers(len(positions), size=4 * n)
    second = first + rng.integers(1, MAX_STEPS_APART + 1, size=4 * n)
    inside = second < len(positions)
    a, b = positions[first[inside]], positions[second[inside]]
    kept = (dataset.users[a] == dataset.users[b]) & (dataset.rows[a] != dataset.rows[b])
    pairs = np.stack([dataset.rows[a[kept]], dataset.rows[b[kept]]], axis=1)[:n]
    if not len(pairs):
        raise DataError(f"{dataset.name}: no user has two training events on different items, nothing to learn from")
    if len(pairs) < n:  # histories of two or three events: most draws ended in the next user's
        pairs = pairs[rng.integers(len(pairs), size=n)]
    return np.where(rng.random((len(pairs), 1)) < 0.5, pairs, pairs[:, ::-1])


def _linear_layers(transformer: torch.nn.Module, *, last: int) -> list[str]:
    """Names of the linear maps inside the last layers, whatever the model calls its layers."""
    n = transformer.config.num_hidden_layers
    inside = tuple(f".{place}." for place in range(max(0, n - last), n))
    return [
        name
        for name, module in transformer.named_modules()
        if isinstance(module, torch.nn.Linear) and any(part in f".{name}." for part in inside)
    ]
