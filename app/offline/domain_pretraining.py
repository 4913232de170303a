"""The optional stage before all others: the item encoder reads the catalogue's texts as language, without any event.

A model that reads both ways learns to fill masked words in (Devlin et al. 2019, section 3.1), a causal one to tell the
next; so domain words get meanings that general text did not give them (Gururangan et al. 2020). The head that tells
words is new where the model came without one: it learns alone first, or its noise would undo the body. What it is worth
is measured as the ablation `domain_pretraining` of the benchmark.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress

from models.item_encoder import MAX_TEXT_TOKENS, load_tokenizer
from models.quiet import quiet_transformers

STEPS = 300
BATCH = 32  # texts
RATE, HEAD_RATE = 5e-5, 1e-3
HEAD_ALONE = 1 / 3  # of the steps
MASKED = 0.15


def pretrain_on_texts(
    model: Path,
    texts: Sequence[str],
    folder: Path,
    *,
    steps: int = STEPS,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> list[float]:
    """Write the model of `model` that has read `texts` to `folder`, tokenizer included; its loss at every step, nats.

    Raises OSError or ValueError where `model` is no Hugging Face folder, and ValueError without texts.
    """
    from transformers import DataCollatorForLanguageModeling  # here, not above: importing transformers takes seconds

    if not texts:
        raise ValueError("there are no texts to read")
    torch.manual_seed(seed)
    teller, tokenizer = _load(model)
    teller.to(device).train()
    collate = DataCollatorForLanguageModeling(
        tokenizer, mlm=tokenizer.mask_token is not None, mlm_probability=MASKED, seed=seed
    )
    body = set(teller.base_model.parameters())
    head = [weights for weights in teller.parameters() if weights not in body]
    optimizer = torch.optim.AdamW([{"params": list(body), "lr": 0.0}, {"params": head, "lr": HEAD_RATE}])
    rng, losses = np.random.default_rng([seed, 2]), []
    for step in progress.track(range(steps), description="catalogue texts"):
        optimizer.param_groups[0]["lr"] = RATE if step >= steps * HEAD_ALONE or not head else 0.0
        drawn = [texts[place] for place in rng.integers(len(texts), size=BATCH)]
        tokens = tokenizer(drawn, truncation=True, max_length=MAX_TEXT_TOKENS)["input_ids"]
        loss = teller(**collate([{"input_ids": ids} for ids in tokens]).to(device)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    teller.base_model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return losses


def read_texts_once(
    model: Path,
    texts: Sequence[str],
    folder: Path,
    *,
    steps: int = STEPS,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> Path:
    """`folder`, with what `pretrain_on_texts` writes in it: made now, or whole by an earlier call."""
    if not folder.is_dir():
        partial = folder.with_name(f"{folder.name}.partial")
        pretrain_on_texts(model, texts, partial, steps=steps, seed=seed, device=device, progress=progress)
        partial.rename(folder)
    return folder


def _load(model: Path) -> tuple[Any, Any]:
    """The model with a head that tells words, and its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    quiet_transformers()
    tokenizer = load_tokenizer(model)
    kind = AutoModelForCausalLM if tokenizer.mask_token is None else AutoModelForMaskedLM
    return kind.from_pretrained(model, local_files_only=True, dtype=torch.float32), tokenizer
