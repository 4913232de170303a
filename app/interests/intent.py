"""What a request asks for, as rows of interest vectors: the profile's, then one for its words, all of them steered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from app.domain import FloatArray, InterestEdit, ItemId, Rung, SlateRequest, Source
from app.interests.profiles import Profiles
from app.interests.spoken import Spoken, SpokenReader


@dataclass(frozen=True, slots=True)
class Intent:
    """K rows, each with where it came from. K is 0 when nothing is known: `sources` is then (POPULAR,) alone.

    interests: (K, D) float32 before the gate. encoded_at: when the profile's rows were made; None without a profile.
    last_event_at_s: Unix seconds of the newest event read. spoken: what was said rather than done, already in the rows.
    """

    interests: FloatArray
    sources: tuple[Source, ...]
    rung: Rung
    degraded: tuple[str, ...]
    unknown_items: tuple[ItemId, ...]
    encoded_at: datetime | None
    last_event_at_s: int | None
    spoken: Spoken

    @property
    def n_learned(self) -> int:
        """Rows that a history gave; they come first."""
        return sum(source is Source.INTERESTS for source in self.sources)

    @property
    def taste(self) -> "Intent":
        """What a history gave, without the words; where there is no history the text of the words, or what steers."""
        n = self.n_learned
        if not n:
            only_words = self.spoken.steering is None and len(self.spoken.sought)
            return replace(self, interests=self.spoken.sought) if only_words else self
        spoken = replace(self.spoken, words=self.spoken.words[:0])
        return replace(self, interests=self.interests[:n], sources=self.sources[:n], spoken=spoken)


class IntentReader:
    """Joins what a user did with what they say."""

    def __init__(self, profiles: Profiles, spoken: SpokenReader, dim: int) -> None:
        self._profiles = profiles
        self._spoken = spoken
        self._dim = dim

    async def read(self, request: SlateRequest) -> Intent:
        """Never raises for what the ladder can answer; `degraded` says what was left out."""
        profile = await self._profiles.read(request)
        learned = profile.vectors.vectors if profile.vectors else np.empty((0, self._dim), dtype=np.float32)
        spoken = await self._spoken.read(request, learned)
        interests = rows_of(learned, spoken)
        n_said = len(interests) - len(learned)
        last = profile.vectors.last_event_at if profile.vectors else None
        return Intent(
            interests=interests,
            sources=(Source.INTERESTS,) * len(learned) + (Source.WORDS,) * n_said or (Source.POPULAR,),
            rung=Rung.FRESH if n_said and not len(learned) else profile.rung,
            degraded=profile.degraded + spoken.degraded,
            unknown_items=profile.unknown_items,
            encoded_at=profile.vectors.encoded_at if profile.vectors else None,
            last_event_at_s=int(last.timestamp()) if last else None,
            spoken=spoken,
        )

    async def edits_of(self, request: SlateRequest) -> Sequence[InterestEdit]:
        """What whoever asks keeps as said, without reading anything else of them."""
        return await self._spoken.edits_of(request)


def rows_of(learned: FloatArray, spoken: Spoken) -> FloatArray:
    """(K, D): the history's rows and the words', steered; where there are neither, the steering is the one row."""
    rows = np.vstack([learned, spoken.words])
    if spoken.steering is None:
        return rows
    return spoken.steering.apply(rows) if len(rows) else spoken.steering.vector[None]
