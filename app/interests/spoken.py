"""What is said rather than done: a request's words, the sentence it steers by, and the edits a user has made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain import EditOperation, FloatArray, InterestEdit, SlateRequest
from app.errors import Overloaded
from app.interests.clauses import Clauses, read_clauses
from app.interests.editor import InterestEditor
from app.interests.steering import FLAT, CatalogueScale, Steering, toward
from app.interests.texts import TextVectors
from app.trained import Trained

WORDS_SHARE = 0.5
"""Of the length at which words alone would score as a taste does: what behaviour tells of them comes beside it. Told
three titles, the demo's validation has an NDCG@10 of 0.092 with a half, 0.098 with a quarter, 0.080 with all of it."""
EDIT_WEIGHT = 0.5
"""Reach of one edit's scores beside the taste's: enough to move a slate, not enough to be all of it."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """words: (W, D) rows of their own, W 0 or 1. sought: (W, D), the same words alone and apart from any taste, as a
    search asks for them. steering: None where nothing steers. degraded: what was not read.

    edits: all that the user keeps, their texts as this bundle reads them, zeros where it could not. clauses: of the
    steering sentence.
    """

    words: FloatArray
    sought: FloatArray
    steering: Steering | None
    edits: tuple[InterestEdit, ...]
    clauses: Clauses
    degraded: tuple[str, ...]


class SpokenReader:
    """Reads it, on the scale of the taste that it stands beside."""

    def __init__(self, texts: TextVectors, editor: InterestEditor, scale: CatalogueScale, trained: Trained) -> None:
        self._texts = texts
        self._editor = editor
        self._scale = scale
        self._trained = trained

    async def read(self, request: SlateRequest, learned: FloatArray) -> Spoken:
        """learned: (L, D), what the history gave. Never raises for what an answer can do without."""
        edits, complete = await self._read_edits(request)
        words, steer = _read_wish(request.words), read_clauses(request.steer)
        texts, unread = await self._encode({"words_unread": words, "steer_unread": steer})
        degraded = unread if complete else (*unread, "edits_unread")
        placed = self._place(texts | {edit.phrase: edit.text for edit in edits})
        points = {phrase: self._scale.standardise(row) for phrase, row in placed.items()}
        row, sought = self._words_rows(words, placed, points, learned)
        steering = self._steer(request.steer_weight, steer, edits, points, np.vstack([learned, row]))
        return Spoken(row, sought, steering, edits, steer, degraded)

    async def edits_of(self, request: SlateRequest) -> tuple[InterestEdit, ...]:
        """As in `Spoken`."""
        return (await self._read_edits(request))[0]

    async def _read_edits(self, request: SlateRequest) -> tuple[tuple[InterestEdit, ...], bool]:
        return ((), True) if request.user_id is None else await self._editor.read(request.user_id)

    async def _encode(self, said: Mapping[str, Clauses]) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
        """Phrase to (T,) what the encoder makes of it; and, where there was no time, the names of what was not read."""
        phrases = list(dict.fromkeys(phrase for clauses in said.values() for phrase in clauses.phrases))
        if not phrases:
            return {}, ()
        try:
            texts = await self._texts.encode_words(phrases)
        except Overloaded:
            return {}, tuple(name for name, clauses in said.items() if clauses.phrases)
        return dict(zip(phrases, texts, strict=True)), ()

    def _place(self, texts: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Phrase to its (D,) row."""
        if not texts:
            return {}
        return dict(zip(texts, self._texts.place_words(np.stack(list(texts.values()))), strict=True))

    def _words_rows(
        self,
        words: Clauses,
        placed: Mapping[str, FloatArray],
        points: Mapping[str, FloatArray],
        learned: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """(1, D) beside the taste, and the text alone apart from it; (0, D) twice without words or where they were not
        read.

        Apart from it and with nothing to bury there is nothing to weigh a phrase against: it is taken as it is.
        """
        standard = self._direction(words, points)
        if standard is None:
            return learned[:0], learned[:0]
        text = self._alone(standard) if words.unwanted else placed[words.wanted[0]] * self._trained.words_scale
        whole = words_row(self._trained, text, [placed[phrase] for phrase in words.wanted])
        row = self._scale.match(self._scale.standardise(whole), learned) if len(learned) else whole
        return row[None], text[None]

    def _steer(
        self,
        weight: float,
        steer: Clauses,
        edits: Sequence[InterestEdit],
        points: Mapping[str, FloatArray],
        base: FloatArray,
    ) -> Steering | None:
        """base: the rows that are steered; (0, D) where nothing else is known."""
        sentence = self._direction(steer, points)
        edited = [
            (1.0 if edit.operation is EditOperation.MORE else -1.0) * points[edit.phrase]
            for edit in edits
            if edit.phrase in points
        ]
        if sentence is None and not edited:
            return None
        keep = 1.0 if sentence is None else 1.0 - weight
        vector = np.sum([*edited, np.zeros(base.shape[1])], axis=0).astype(np.float32) * (EDIT_WEIGHT * keep)
        if sentence is not None:
            vector = vector + sentence * weight
        if not len(base):
            return Steering(keep, self._alone(vector))
        return Steering(keep, (vector * self._scale.measure(base)[1]).astype(np.float32))

    def _direction(self, clauses: Clauses, points: Mapping[str, FloatArray]) -> FloatArray | None:
        """The (D,) row of a sentence, of standardised phrases; None where it has no clause, or was not read."""
        if not clauses.phrases or any(phrase not in points for phrase in clauses.phrases):
            return None
        return toward([points[p] for p in clauses.wanted], [points[p] for p in clauses.unwanted])

    def _alone(self, row: FloatArray) -> FloatArray:
        """As long as a learned text interest: what a wish weighs beside the prior where there is no taste."""
        return (row * (self._trained.words_scale / max(float(np.linalg.norm(row)), FLAT))).astype(np.float32)


def words_row(trained: Trained, text: FloatArray, named: Sequence[FloatArray]) -> FloatArray:
    """(D,) of words that stand alone: what they say, at its share, and what behaviour tells of it.

    text: (D,) as long as a taste. named: the (D,) rows, of unit length, of the phrases that name items; at least one.
    """
    told = np.mean([trained.behaviour_of(row) for row in named], axis=0)
    return np.asarray(text * WORDS_SHARE + told, dtype=np.float32)


def _read_wish(words: str) -> Clauses:
    """A wish that only refuses may as well be a title ("No Country for Old Men"): it is taken at its word."""
    clauses = read_clauses(words)
    if clauses.wanted and clauses.unwanted:
        return clauses
    return Clauses((words,) if words else (), ())
