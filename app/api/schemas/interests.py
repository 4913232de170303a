"""`/v1/users/{user_id}/interests`: a user's interests as people read them, and what the user says of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app import domain
from app.api.schemas.fields import NOT_BLANK, EventRef, ItemRef, UserRef, Wire
from app.domain import EditOperation

if TYPE_CHECKING:
    from app.interests.reader import ReadableInterests

FROM_OBJECTS = ConfigDict(from_attributes=True)
MOST_CHANGES = 20

Phrase = Annotated[str, StringConstraints(max_length=200, pattern=NOT_BLANK)]


class InterestChange(Wire):
    """One thing said of one phrase."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"op": {"const": "reset"}}},
                {"properties": {"phrase": {"type": "string"}}, "required": ["phrase"]},
            ]
        }
    )

    op: EditOperation = Field(
        description="more: pull towards it. less: bury it. never: remove what carries or matches it. reset: take back "
        "what was said of it, or of everything where no phrase is given."
    )
    phrase: Phrase | None = Field(
        None,
        description="Any text, a category or words of your own: 1 to 200 characters. Case and spaces do not count. "
        "Only reset may leave it out.",
    )

    @model_validator(mode="after")
    def _refuse_nothing_said(self) -> "InterestChange":
        if self.phrase is None and self.op is not EditOperation.RESET:
            raise PydanticCustomError("phrase_missing", "Field phrase is required with the op {op}", {"op": self.op})
        return self

    def to_domain(self) -> domain.InterestChange:
        return domain.InterestChange(self.op, (self.phrase or "").strip())


class InterestChanges(Wire):
    """Carried out in order, all or none."""

    operations: tuple[InterestChange, ...] = Field(
        min_length=1,
        max_length=MOST_CHANGES,
        description=f"1 to {MOST_CHANGES}. What was last said of a phrase counts; at most 100 phrases are kept a user.",
    )

    def to_domain(self) -> tuple[domain.InterestChange, ...]:
        return tuple(change.to_domain() for change in self.operations)


class EvidenceAnswer(Wire):
    """An event behind an interest."""

    model_config = FROM_OBJECTS

    event_id: EventRef
    item_id: ItemRef
    title: str = Field(description="Of the item.")
    at: datetime = Field(description="When it happened, in UTC.")
    effect: float = Field(description="How far the interest falls when the event is left out: measured, not guessed.")


class InterestAnswer(Wire):
    model_config = FROM_OBJECTS

    label: str = Field(description="What it is about, in a few words.")
    phrases: list[str] = Field(description="Phrases nearest to it, nearest first.")
    weight: float = Field(description="Share of the user's recent events that it explains best, 0 to 1.")
    polarity: Literal["positive", "negative"] = Field(
        description="negative: these events were refusals on the whole, or the user asked for less of it."
    )
    confidence: float | None = Field(
        description="Share of the re-readings, each with one event left out, that kept its label among its phrases: "
        "0 to 1. null for a history of one event."
    )
    last_seen_at: datetime | None = Field(
        description="Time of the newest event that it explains best; null where it explains none best."
    )
    edit: EditOperation | None = Field(description="What the user said of its label; null where nothing.")
    evidence: list[EvidenceAnswer] = Field(description="The events it rests on most, strongest first: at most 3.")
    evidence_method: str = Field(description="How `effect` is measured: leave_one_out, over the newest 15 events.")


class EditAnswer(Wire):
    """What a user said of a phrase."""

    op: EditOperation = Field(description="more, less or never.")
    phrase: str = Field(description="In the words of the user.")
    at: datetime = Field(description="When it was last said, in UTC.")
    items_removed: int | None = Field(
        description="Of never: how many items it removes from the user's slates now. null for the others."
    )

    @classmethod
    def from_domain(cls, edit: domain.InterestEdit, removed: int | None) -> "EditAnswer":
        return cls(op=edit.operation, phrase=edit.phrase, at=edit.at, items_removed=removed)


class EditsAnswer(Wire):
    """All that the user said of phrases and did not take back, oldest first."""

    user_id: UserRef
    edits: list[EditAnswer] = Field(description="One a phrase; empty where all was taken back.")

    @classmethod
    def from_domain(cls, user_id: str, edits: "Sequence[tuple[domain.InterestEdit, int | None]]") -> "EditsAnswer":
        return cls(user_id=user_id, edits=[EditAnswer.from_domain(edit, removed) for edit, removed in edits])


class InterestsAnswer(Wire):
    """Strongest first. Empty when none of the user's items are known here."""

    user_id: UserRef
    interests: list[InterestAnswer] = Field(description="At most as many as the bundle reads of a user.")
    edits: list[EditAnswer] = Field(description="What the user said of phrases, oldest first.")

    @classmethod
    def from_domain(cls, user_id: str, readable: "ReadableInterests") -> "InterestsAnswer":
        return cls(
            user_id=user_id,
            interests=[InterestAnswer.model_validate(interest) for interest in readable.interests],
            edits=[EditAnswer.from_domain(edit, removed) for edit, removed in readable.edits],
        )
