"""`POST /v1/search`: words, and who asks."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictInt, StringConstraints

from app import domain
from app.api.schemas.fields import NOT_BLANK, FilterText, Identifier, Length, take_whole
from app.api.schemas.recommendations import Asker

BREADTH = 3
"""Times k: of three times as many as are shown, taste can choose without leaving the words behind."""


class SearchRequest(Asker):
    """What is looked for, and by whom. What they have seen may be found too."""

    words: Annotated[str, StringConstraints(max_length=1_000, pattern=NOT_BLANK)] = Field(
        description="What is looked for, in plain language: 1 to 1,000 characters."
    )
    k: Length = Field(20, description="Length of the answer, in items: 1 to 500.")
    breadth: Annotated[StrictInt, Field(ge=1, le=2_000), BeforeValidator(take_whole)] | None = Field(
        None,
        description="How many of the items closest to the words taste may choose from, 1 to 2,000, and never less than "
        "k: with k itself taste only orders what the words found. Default: three times k.",
    )
    exclude: tuple[Identifier, ...] = Field(
        (), max_length=10_000, description="Item ids that must not appear: at most 10,000."
    )
    seen: domain.Seen = Field(
        domain.Seen.ALWAYS, description="Items the user already has an event on: always found, or never."
    )
    filter: FilterText | None = Field(None, description="Only items that this holds for. Default: all.")

    def to_domain(self, now: datetime) -> domain.SlateRequest:
        """now: the request's time where its context tells none."""
        return replace(
            self.to_request(now, self.k),
            exclude=frozenset(map(domain.ItemId, self.exclude)),
            seen=self.seen,
            filter=self.filter or "",
        )

    def choose_from(self) -> int:
        return self.breadth or BREADTH * self.k
