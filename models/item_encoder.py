"""Text of an item, or any phrase, to a unit vector: a pretrained transformer, mean-pooled.

Any Hugging Face folder that `AutoModel` loads; read from disk only, never remote code. Source of the pooling: Reimers
and Gurevych 2019 (Sentence-BERT), section 3.
"""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.quiet import quiet_transformers

MAX_TEXT_TOKENS = 48  # titles with categories take 10 to 30; past 48 the cost grows and the meaning rarely


class ItemEncoder(nn.Module):
    """Texts to (B, T) unit vectors. Holds the tokenizer, so that nobody can pair it with another one."""

    def __init__(self, transformer: nn.Module, tokenizer: Any, max_tokens: int = MAX_TEXT_TOKENS) -> None:
        super().__init__()
        self.transformer = transformer
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens

    @property
    def dim(self) -> int:
        return int(self.transformer.config.hidden_size)

    @property
    def device(self) -> torch.device:
        return next(self.transformer.parameters()).device

    def forward(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(texts, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt")
        tokens = tokens.to(self.device)
        states = self.transformer(**tokens).last_hidden_state  # (B, L, T)
        return pool_states(states, tokens["attention_mask"])

    @torch.inference_mode()
    def encode(self, texts: list[str], batch: int = 64) -> Tensor:
        """(len(texts), T) float32 on the CPU, in the order given. Texts of like length share a batch."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        vectors = torch.empty(len(texts), self.dim)
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            vectors[places] = self([texts[place] for place in places]).float().cpu()
        return vectors

    def save(self, folder: Path) -> None:
        """The same bytes whatever was encoded before: how the last texts were cut and padded is not kept."""
        if (backend := getattr(self.tokenizer, "backend_tokenizer", None)) is not None:
            backend.no_truncation()
            backend.no_padding()
        self.transformer.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def load_item_encoder(folder: Path, device: torch.device | None = None) -> ItemEncoder:
    """Load from a Hugging Face folder on disk. Raises OSError or ValueError where it is not one."""
    from transformers import AutoModel  # here, not above: importing transformers takes seconds

    quiet_transformers()
    transformer = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    return ItemEncoder(transformer.eval().to(device or torch.device("cpu")), load_tokenizer(folder))


def load_tokenizer(folder: Path) -> Any:
    """Of a Hugging Face folder on disk, able to pad."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if tokenizer.pad_token is None:  # causal models ship without one; padding is masked out, so any token serves
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def pool_states(states: Tensor, mask: Tensor) -> Tensor:
    """Unit-length mean of the states of real tokens. states: (B, L, T); mask: (B, L), 1 for a real token."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return F.normalize((states * weights).sum(1) / weights.sum(1).clamp(min=1), dim=-1)
