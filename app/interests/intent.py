"""What a request asks for, as rows of interest vectors: the profile's, then one for its words."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.domain import FloatArray, ItemId, Rung, SlateRequest, Source
from app.errors import Overloaded
from app.interests.profiles import Profiles
from app.interests.texts import TextVectors


@dataclass(frozen=True, slots=True)
class Intent:
    """K rows, each with where it came from. K is 0 when nothing is known: `sources` is then (POPULAR,) alone.

    interests: (K, D) float32 before the gate. encoded_at: when the profile's rows were made; None without a profile.
    last_event_at_s: Unix seconds of the newest event read.
    """

    interests: FloatArray
    sources: tuple[Source, ...]
    rung: Rung
    degraded: tuple[str, ...]
    unknown_items: tuple[ItemId, ...]
    encoded_at: datetime | None
    last_event_at_s: int | None

    @property
    def n_learned(self) -> int:
        """Rows that a history gave; they come first."""
        return sum(source is Source.INTERESTS for source in self.sources)


class IntentReader:
    """Joins what a user did with what they say."""

    def __init__(self, profiles: Profiles, texts: TextVectors, dim: int, words_scale: float) -> None:
        self._profiles = profiles
        self._texts = texts
        self._dim = dim
        self._words_scale = words_scale

    async def read(self, request: SlateRequest) -> Intent:
        """Never raises for what the ladder can answer; `degraded` says what was left out."""
        profile = await self._profiles.read(request)
        spoken, degraded = await self._read_words(request.words)
        learned = profile.vectors.vectors if profile.vectors else np.empty((0, self._dim), dtype=np.float32)
        sources = (Source.INTERESTS,) * len(learned) + (Source.WORDS,) * len(spoken)
        last = profile.vectors.last_event_at if profile.vectors else None
        return Intent(
            interests=np.vstack([learned, spoken]),
            sources=sources or (Source.POPULAR,),
            rung=Rung.FRESH if len(spoken) and not len(learned) else profile.rung,
            degraded=profile.degraded + degraded,
            unknown_items=profile.unknown_items,
            encoded_at=profile.vectors.encoded_at if profile.vectors else None,
            last_event_at_s=int(last.timestamp()) if last else None,
        )

    async def _read_words(self, words: str) -> tuple[FloatArray, tuple[str, ...]]:
        """(1, D) as long as a learned interest; (0, D) without words.

        Equal in length, not in what they score: beside a long history words seldom win a place.
        """
        if not words:
            return np.empty((0, self._dim), dtype=np.float32), ()
        try:
            text = await self._texts.encode([words])
        except Overloaded:
            return np.empty((0, self._dim), dtype=np.float32), ("words_unread",)
        return self._texts.place(text) * self._words_scale, ()
