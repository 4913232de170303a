"""The smallest real things: pretrained models of two kinds, a data set with a pattern in it, a bundle trained on it."""

import dataclasses
import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from rich.progress import Progress
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertConfig, BertModel, BertTokenizerFast, LlamaConfig, LlamaModel, PreTrainedTokenizerFast

from app.domain import Event, EventId, Item, ItemId, UserId
from app.history.weights import event_weight
from app.interests.encoder import Reading
from app.offline.build import Run, build_bundle
from app.offline.dataset import Dataset, read_dataset
from app.offline.dataset_folder import write_dataset
from app.offline.recipes import Recipe, get_recipe
from app.offline.split import Protocol
from app.offline.workshop import Models
from app.trained import Trained
from models.events import EventBatch, event_batch
from models.quiet import quiet_transformers
from models.space import IdBlock, Shape, Space, TextBlock
from models.user_encoder import load_user_transformer

GENRES = ("space", "crime", "romance", "western", "horror", "cartoon")
ADJECTIVES = ("red", "blue", "quiet", "loud", "old", "new", "long", "short", "dark", "bright")
N_ITEMS = len(GENRES) * len(ADJECTIVES)
N_USERS = 40
START = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday."""

WORDS = ("film", "story", "robots", "wanted", "something", "light", "for", "tonight", "slow", "and", "thoughtful")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LETTERS = tuple(string.ascii_lowercase + string.digits)
VOCABULARY = {
    token: code
    for code, token in enumerate(
        [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), ",", ".", *GENRES, *ADJECTIVES, *WORDS]
    )
}
SIZES = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}

TINY = dataclasses.replace(
    get_recipe("tiny"),
    history_events=12,
    batch_tokens=60,
    block_dim=16,
    interests=2,
    id_dim=8,
    text_epochs=6,
    text_patience=6,
    head_rate=5e-3,
    id_epochs=15,
    id_patience=15,
    id_rate=1e-2,
)


def write_bert(folder: Path) -> Path:
    """A model that reads both ways, as MiniLM does, with a tokenizer that knows our words and every letter."""
    torch.manual_seed(0)
    quiet_transformers()
    # Weights far larger than a real model's start: without training, texts would otherwise be all but the same point.
    BertModel(BertConfig(**SIZES, initializer_range=0.5)).save_pretrained(folder)
    BertTokenizerFast(vocab=VOCABULARY).save_pretrained(folder)
    return folder


def write_llama(folder: Path) -> Path:
    """A causal model, as SmolLM is, whose tokenizer has no token for padding."""
    torch.manual_seed(0)
    quiet_transformers()
    LlamaModel(LlamaConfig(**SIZES)).save_pretrained(folder)
    words = Tokenizer(WordPiece(VOCABULARY, unk_token=SPECIAL[1]))
    words.normalizer, words.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token=SPECIAL[3], unk_token=SPECIAL[1]).save_pretrained(folder)
    return folder


def tiny_items() -> list[Item]:
    """ "i0" to "i59": ten of each genre, "red space film" to "bright cartoon film"."""
    return [
        Item(ItemId(f"i{row}"), f"{adjective} {genre} film", (genre,), properties={"year": 1990 + row % 20})
        for row, (genre, adjective) in enumerate((g, a) for g in GENRES for a in ADJECTIVES)
    ]


def tiny_events() -> pl.DataFrame:
    """Each user walks through the catalogue in its order from a place of their own, one step in five at random."""
    rng = np.random.default_rng(0)
    events = []
    for user in range(N_USERS):
        row, at = int(rng.integers(N_ITEMS)), START + timedelta(hours=int(rng.integers(1_000)))
        for _ in range(int(rng.integers(8, 25))):
            value = float(rng.integers(3, 6))
            events.append((f"u{user}", f"i{row}", "rating", at, value, ("phone", "tv", None)[rng.integers(3)]))
            row = (row + 1) % N_ITEMS if rng.random() < 0.8 else int(rng.integers(N_ITEMS))
            at += timedelta(minutes=int(rng.integers(1, 3_000)))
    columns = dict(zip(("user_id", "item_id", "type", "at", "value", "device"), zip(*events, strict=True), strict=True))
    return pl.DataFrame(
        {
            **{name: columns[name] for name in ("user_id", "item_id", "type")},
            "at": pl.Series(columns["at"], dtype=pl.Datetime("us", "UTC")),
            "value": pl.Series(columns["value"], dtype=pl.Float32),
            "weight": pl.Series([event_weight("rating", value) for value in columns["value"]], dtype=pl.Float32),
            "context_device": columns["device"],
        }
    )


def write_tiny_dataset(folder: Path) -> Dataset:
    write_dataset(folder, "tiny", tiny_events(), tiny_items(), {"device": ("phone", "tv")}, has_times=True)
    return read_dataset(folder)


def build_tiny(dataset: Dataset, models: Models, folder: Path, recipe: Recipe = TINY, seed: int = 0) -> Path:
    """A bundle made by the real job: folder/artifacts/<version>."""
    run = Run(dataset, Protocol.LEAVE_ONE_OUT, recipe, models, seed)
    bundle, _ = build_bundle(run, folder / "artifacts", folder / "work", device=torch.device("cpu"), progress=silent())
    return bundle


def silent() -> Progress:
    return Progress(disable=True)


SMALL = Shape(
    n_items=9,
    text_dim=6,
    block_dim=8,
    id_dim=4,
    interests=3,
    max_events=12,
    id_layers=2,
    id_heads=2,
    id_dropout=0.3,
    text_dropout=0.1,
    has_times=True,
    words_dim=5,
)
"""Of `random_space`, whose texts have 6 numbers."""


def random_space(folder: Path, *, has_times: bool = True, feature_sizes: tuple[int, ...] = (3,)) -> Space:
    """An untrained space over a pretrained folder, every weight stirred, so that nothing hides behind a zero."""
    shape = dataclasses.replace(SMALL, has_times=has_times, feature_sizes=feature_sizes)
    torch.manual_seed(0)
    return stir(Space(shape, TextBlock(shape, load_user_transformer(folder, layers=2)), IdBlock(shape)))


def stir(module: Any) -> Any:
    with torch.no_grad():
        for weights in module.parameters():
            weights.add_(torch.randn_like(weights) * 0.1)
    return module.requires_grad_(requires_grad=False).eval()


def random_arrays(lengths: Sequence[int], seed: int = 0, n_items: int = 9) -> dict[str, np.ndarray]:
    """One history of each length, on items of 6 numbers of text; padding repeats the last time, as serving pads."""
    rng = np.random.default_rng(seed)
    shape = (len(lengths), max(lengths))
    real = np.arange(shape[1]) < np.array(lengths)[:, None]
    at_s = np.cumsum(rng.integers(1, 200_000, shape), axis=1) + int(START.timestamp())
    return {
        "text": (rng.normal(size=(*shape, 6)) * real[..., None]).astype(np.float32),
        "rows": rng.integers(0, n_items + 1, shape) * real,
        "at_s": np.maximum.accumulate(np.where(real, at_s, 0), axis=1),
        "weights": (rng.uniform(-1, 1, shape) * real).astype(np.float32),
        "lengths": np.array(lengths),
    }


def random_events(lengths: Sequence[int], seed: int = 0, *, has_times: bool = True) -> EventBatch:
    return event_batch(**random_arrays(lengths, seed), has_times=has_times)


def changed_from(place: int, *, has_times: bool) -> tuple[EventBatch, EventBatch]:
    """Two histories of 8 events that are the same before `place` and differ in everything from it on."""
    one, other = random_arrays([8], seed=1), random_arrays([8], seed=2)
    other["at_s"] = other["at_s"] + 500_000
    other["rows"] = (one["rows"] + 1) % 10
    for name in ("text", "rows", "at_s", "weights"):
        other[name][:, :place] = one[name][:, :place]
    return event_batch(**one, has_times=has_times), event_batch(**other, has_times=has_times)


def event(
    n: int, user_id: str, item_id: str, event_type: str = "like", at: datetime | None = None, **features: str
) -> Event:
    """The n-th event told, a minute after the one before it and long after the training data."""
    when = at or datetime(2024, 6, 1, tzinfo=UTC) + timedelta(minutes=n)
    return Event(EventId(f"e{n}"), UserId(user_id), ItemId(item_id), event_type, when, features=features)


def reading(trained: Trained, n: int, seed: int = 0) -> Reading:
    """A history of n events on items of the tiny catalogue."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, N_ITEMS, n)
    at_s = 1_704_067_200 + np.cumsum(rng.integers(1, 200_000, n))
    return Reading(trained.text[rows], rows, at_s, rng.uniform(-1, 1, n).astype(np.float32))
