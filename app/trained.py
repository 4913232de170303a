"""What a bundle holds, as objects: written by the jobs and read by the server through this one file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from safetensors.torch import load_file, save_file

from app.bundle import Bundle
from app.catalogue.codec import item_from_json, item_to_json
from app.domain import FloatArray, IntArray, Item
from app.errors import BundleError
from app.scoring.context import ContextCodes
from app.scoring.newcomers import Known
from models.item_encoder import ItemEncoder, load_item_encoder
from models.space import Blend, IdBlock, Shape, Space, TextBlock
from models.user_encoder import build_user_transformer

ITEM_ENCODER = "item_encoder"
WORDS_ENCODER = "words_encoder"
SPACE_WEIGHTS = "space.safetensors"
SPACE_FORM = "space.json"
ITEM_TABLE = "items.jsonl"
ITEM_ARRAYS = "items.safetensors"
PHRASES = "phrases.json"
INDEX = "index.faiss"
GOLDEN = "golden.json"


@dataclass(frozen=True)
class Trained:
    """A space, the catalogue it was trained on, and what is needed to write of both.

    item_encoder: tuned. words_encoder: as it came. text, words: (N, T) float32, what the two make of the items' texts.
    vectors: (N, D) float32 item vectors. prior: (N, M) float32.
    n_events: (N,) int64 training events. unseen_events: what an item without any counts as.
    phrases: P labels. phrase_text, phrase_words: (P, T), what the two encoders make of these.
    phrase_baseline: (P,) mean score of each phrase over training users' interests: what is true of everybody.
    words_scale: length at which the best item for a phrase scores, on average, what a user's best item scores.
    """

    space: Space
    item_encoder: ItemEncoder
    words_encoder: ItemEncoder
    items: tuple[Item, ...]
    text: FloatArray
    words: FloatArray
    vectors: FloatArray
    prior: FloatArray
    n_events: IntArray
    unseen_events: float
    phrases: tuple[str, ...]
    phrase_text: FloatArray
    phrase_words: FloatArray
    phrase_baseline: FloatArray
    context: ContextCodes
    words_scale: float

    @cached_property
    def known(self) -> Known:
        return Known(self.text, self.vectors, self.n_events, self.space.shape)

    def behaviour_of(self, said: FloatArray) -> FloatArray:
        """(D,) of a (D,) row of words, no text in it: the items that they resemble, read as if they were a history."""
        shape, row = self.space.shape, np.zeros_like(said)
        row[shape.behaviour] = self.known.resembling(said[shape.words]) * self.space.history_scale
        return row


def save_trained(folder: Path, trained: Trained) -> None:
    """Write everything but the golden queries, which are made by reading this back."""
    trained.item_encoder.save(folder / ITEM_ENCODER)
    trained.words_encoder.save(folder / WORDS_ENCODER)
    save_file(_plain(trained.space.state_dict()), folder / SPACE_WEIGHTS)
    _write_json(
        folder / SPACE_FORM,
        {
            "shape": asdict(trained.space.shape),
            "blend": trained.space.blend.as_dict(),
            "transformer": trained.space.text.encoder.transformer.config.to_diff_dict(),
            "context": trained.context.values,
            "words_scale": trained.words_scale,
            "unseen_events": trained.unseen_events,
        },
    )
    (folder / ITEM_TABLE).write_text("".join(item_to_json(item) + "\n" for item in trained.items))
    arrays = {
        "text": torch.from_numpy(trained.text).half(),  # 3 digits are enough for what goes through a network again
        "words": torch.from_numpy(trained.words).half(),
        "vectors": torch.from_numpy(trained.vectors),
        "prior": torch.from_numpy(trained.prior),
        "n_events": torch.from_numpy(trained.n_events),
        "phrase_text": torch.from_numpy(trained.phrase_text).half(),
        "phrase_words": torch.from_numpy(trained.phrase_words).half(),
        "phrase_baseline": torch.from_numpy(trained.phrase_baseline),
    }
    save_file(_plain(arrays), folder / ITEM_ARRAYS)
    _write_json(folder / PHRASES, list(trained.phrases))
    faiss.write_index(build_index(trained.vectors, trained.prior), str(folder / INDEX))


def load_trained(bundle: Bundle, device: torch.device) -> Trained:
    """Read a verified bundle. Raises BundleError where its files do not fit one another."""
    form: dict[str, Any] = json.loads(bundle.path(SPACE_FORM).read_text())
    shape = Shape(**{**form["shape"], "feature_sizes": tuple(form["shape"]["feature_sizes"])})
    space = Space(
        shape,
        TextBlock(shape, build_user_transformer(form["transformer"])),
        IdBlock(shape),
        Blend(**form["blend"]),
    )
    try:
        space.load_state_dict(load_file(bundle.path(SPACE_WEIGHTS)))
    except RuntimeError as mismatch:
        raise BundleError(
            f"bundle {bundle.version}: {SPACE_WEIGHTS} does not fit {SPACE_FORM}: train again"
        ) from mismatch
    arrays = load_file(bundle.path(ITEM_ARRAYS))
    with bundle.path(ITEM_TABLE).open() as lines:
        items = tuple(item_from_json(line) for line in lines)
    if not len(items) == shape.n_items == len(arrays["vectors"]):
        raise BundleError(
            f"bundle {bundle.version}: {len(items)} items, {len(arrays['vectors'])} vectors, a space of "
            f"{shape.n_items}: these do not belong together, train again"
        )
    return Trained(
        space=space.eval().to(device),
        item_encoder=load_item_encoder(bundle.path(ITEM_ENCODER), device),
        words_encoder=load_item_encoder(bundle.path(WORDS_ENCODER), device),
        items=items,
        text=arrays["text"].float().numpy(),
        words=arrays["words"].float().numpy(),
        vectors=arrays["vectors"].numpy(),
        prior=arrays["prior"].numpy(),
        n_events=arrays["n_events"].numpy(),
        phrases=tuple(json.loads(bundle.path(PHRASES).read_text())),
        phrase_text=arrays["phrase_text"].float().numpy(),
        phrase_words=arrays["phrase_words"].float().numpy(),
        phrase_baseline=arrays["phrase_baseline"].numpy(),
        context=ContextCodes(form["context"]),
        words_scale=float(form["words_scale"]),
        unseen_events=float(form["unseen_events"]),
    )


def build_index(vectors: FloatArray, prior: FloatArray) -> Any:
    """Exact inner-product index over [item vector ; prior]: needs no training, and up to some 50,000 items no
    approximate index is worth its misses."""
    rows = np.hstack([vectors, prior]).astype(np.float32)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index


def _plain(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, default=list) + "\n")
