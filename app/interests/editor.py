"""A user's edits in the terms of the bundle that serves: carried out, read with a request, and told."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from app.domain import EditOperation, FloatArray, InterestChange, InterestEdit, UserId
from app.errors import Overloaded
from app.interests.edits import EditStore
from app.interests.never import NeverFilter
from app.interests.texts import TextVectors

CountedEdit = tuple[InterestEdit, int | None]
"""An edit, and of `never` the number of items that it removes now."""


class InterestEditor:
    """Edits whose text vectors are those of the served bundle, whichever bundle they were made under."""

    def __init__(self, texts: TextVectors, edits: EditStore, never: NeverFilter, version: str) -> None:
        self._texts = texts
        self._edits = edits
        self._never = never
        self._version = version

    async def edit(self, user_id: UserId, changes: Sequence[InterestChange]) -> list[CountedEdit]:
        """All of `changes`, in order; on disk when it returns what the user then has said.

        Raises TooManyEdits, Overloaded, StoreUnavailable: nothing is changed then.
        """
        texts = await self._encode(change.phrase for change in changes if change.phrase)
        nothing = np.empty(0, dtype=np.float32)
        vectors = [texts.get(change.phrase, nothing) for change in changes]
        await self._edits.apply(user_id, changes, vectors, self._version, datetime.now(UTC))
        return await self.told(user_id)

    async def told(self, user_id: UserId) -> list[CountedEdit]:
        """Oldest first; [] for a user who said nothing."""
        edits, _ = await self.read(user_id)
        return [
            (edit, await self._never.count(edit) if edit.operation is EditOperation.NEVER else None) for edit in edits
        ]

    async def read(self, user_id: UserId) -> tuple[tuple[InterestEdit, ...], bool]:
        """Oldest first, and whether all could be read.

        One of another bundle's that the encoder has no time for has a text of zeros: it steers nowhere, and its never
        removes what carries the phrase.
        """
        edits = self._edits.of(user_id)
        stale = [edit.phrase for edit in edits if edit.version != self._version]
        if not stale:
            return edits, True
        try:
            texts = await self._encode(stale)
        except Overloaded:
            texts = dict.fromkeys(stale, np.zeros(self._texts.dim, dtype=np.float32))
            return self._renewed(edits, texts), False
        return self._renewed(edits, texts), True

    def _renewed(self, edits: Sequence[InterestEdit], texts: dict[str, FloatArray]) -> tuple[InterestEdit, ...]:
        return tuple(replace(edit, text=texts.get(edit.phrase, edit.text), version=self._version) for edit in edits)

    async def _encode(self, phrases: Iterable[str]) -> dict[str, FloatArray]:
        distinct = list(dict.fromkeys(phrases))
        return dict(zip(distinct, await self._texts.encode_words(distinct), strict=True)) if distinct else {}
