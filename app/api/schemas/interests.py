"""`GET /v1/users/{user_id}/interests`: a user's interests as people read them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Wire

if TYPE_CHECKING:
    from app.interests.phrases import Interest

FROM_OBJECTS = ConfigDict(from_attributes=True)


class EvidenceAnswer(Wire):
    """An event behind an interest."""

    model_config = FROM_OBJECTS

    event_id: str
    item_id: str
    title: str
    effect: float = Field(description="How far the interest falls when the event is left out: measured, not guessed.")


class InterestAnswer(Wire):
    model_config = FROM_OBJECTS

    label: str = Field(description="What it is about, in a few words.")
    phrases: list[str] = Field(description="Phrases nearest to it, nearest first.")
    weight: float = Field(description="Share of the user's recent events that it explains best, 0 to 1.")
    evidence: list[EvidenceAnswer] = Field(description="The events it rests on most, strongest first.")


class InterestsAnswer(Wire):
    """Strongest first. Empty when none of the user's items are known here."""

    user_id: str
    interests: list[InterestAnswer]

    @classmethod
    def from_domain(cls, user_id: str, interests: Sequence["Interest"]) -> "InterestsAnswer":
        return cls(user_id=user_id, interests=[InterestAnswer.model_validate(interest) for interest in interests])
