"""Golden queries: a few questions stored in a bundle with their answers, asked again before the bundle serves.

A bundle whose bytes are right may still be read wrongly, by another version of a library or on another machine. If the
answers differ by more than rounding, it does not start.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

from app.bundle import Bundle
from app.domain import Context
from app.errors import BundleError
from app.interests.encoder import HistoryEncoder, Reading
from app.scoring.scorer import Scorer
from app.trained import GOLDEN, INDEX, Trained

TOP = 10
TOLERANCE = 2e-3  # scores reach 20: four digits; CPU families differ in the fifth


def write_golden(folder: Path, trained: Trained, questions: list[dict[str, Any]]) -> None:
    """questions: {"rows": [...], "at_s": [...], "weights": [...]} or {"words": "..."}; "asked_at_s" in each."""
    index = faiss.read_index(str(folder / INDEX))
    answered = [{**question, "answer": _answer(trained, index, question)} for question in questions]
    (folder / GOLDEN).write_text(json.dumps(answered, indent=1) + "\n")


def check_golden(bundle: Bundle, trained: Trained, index: Any) -> None:
    """Raises BundleError at the first answer that differs."""
    for number, question in enumerate(json.loads(bundle.path(GOLDEN).read_text()), 1):
        expected = np.array([score for _, score in question["answer"]])
        got = np.array([score for _, score in _answer(trained, index, question)])
        if expected.shape != got.shape or not np.abs(expected - got).max() <= TOLERANCE:  # so written for NaN
            raise BundleError(
                f"bundle {bundle.version}: golden query {number} gives other scores here than where it was trained "
                f"({got[:3]} instead of {expected[:3]}): train it again on this machine"
            )


def _answer(trained: Trained, index: Any, question: dict[str, Any]) -> list[tuple[int, float]]:
    """(item_row, score) of the best items, best first."""
    device = next(trained.space.parameters()).device
    if "words" in question:
        encoders = trained.item_encoder, trained.words_encoder
        text, words = (encoder.encode([question["words"]]).to(device) for encoder in encoders)
        with torch.inference_mode():
            interests = trained.space.text_vectors(text, words).cpu().numpy() * trained.words_scale
        last_event_at_s = None
    else:
        reading = _reading(trained, question)
        interests = HistoryEncoder(trained.space, device).encode([reading])[0]
        last_event_at_s = int(reading.at_s[-1])
    context = Context(datetime.fromtimestamp(question["asked_at_s"], UTC))
    query = Scorer(trained.space, trained.context).query(interests, context, last_event_at_s)
    scores, rows = index.search(query.gated, TOP)
    best: dict[int, float] = {}
    for row, score in zip(rows.ravel().tolist(), scores.ravel().tolist(), strict=True):
        best[row] = max(score, best.get(row, -np.inf))
    return sorted(best.items(), key=lambda pair: -pair[1])[:TOP]


def _reading(trained: Trained, question: dict[str, Any]) -> Reading:
    rows = np.array(question["rows"], dtype=np.int64)
    return Reading(
        text=trained.text[rows],
        rows=rows,
        at_s=np.array(question["at_s"], dtype=np.int64),
        weights=np.array(question["weights"], dtype=np.float32),
    )
