"""`GET /v1/slates/{slate_id}/items/{item_id}/explanation`: why an item is in a slate, or why not."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import EventRef, ItemRef, Wire

if TYPE_CHECKING:
    from app.explanation.place import PlaceExplanation

FROM_OBJECTS = ConfigDict(from_attributes=True)

Verdict = Literal[
    "shown", "not_served", "excluded", "never", "seen", "filtered", "below_cut", "not_proposed", "rearranged"
]


class WithoutEventAnswer(Wire):
    """What the item would be, had one event not happened: the history was read again without it."""

    model_config = FROM_OBJECTS

    event_id: EventRef
    item_id: ItemRef
    title: str = Field(description="Of the event's item.")
    at: datetime = Field(description="When it happened, in UTC.")
    score: float = Field(description="What the explained item would score.")
    rank: int = Field(description="Where it would rank, 1 best.")
    rank_fall: int = Field(description="Places it would fall; below 0 it would rise.")
    text: str = Field(description="The same in a sentence.")


class ContextEffectAnswer(Wire):
    model_config = FROM_OBJECTS

    part: float = Field(description="What the context adds to the score.")
    open_score: float = Field(description="What the item would score with an open gate: nothing known of the context.")
    open_rank: int = Field(description="Where it would rank then, 1 best.")
    text: str = Field(description="The same in a sentence.")


class RemedyAnswer(Wire):
    """A change that lifts the item: tried, not guessed."""

    model_config = FROM_OBJECTS

    kind: Literal["event", "phrase", "context", "exclude", "seen", "edit", "filter"] = Field(
        description="What is changed: an event left out, a phrase steered by, the context, or the rule that hides it."
    )
    text: str = Field(description="The change and its outcome in a sentence.")
    change: dict[str, str | float] = Field(description="The fields to change, and to what.")
    rank: int = Field(description="Where the item would rank, 1 best.")
    enters: bool = Field(description="Whether that is inside a slate of this length.")


class ExplanationAnswer(Wire):
    """Ranks are those of the score among all items that may appear, before any re-ranking."""

    model_config = FROM_OBJECTS

    slate_id: str = Field(description="The slate that was asked about.")
    item_id: ItemRef
    title: str = Field(description="Of the item.")
    verdict: Verdict = Field(
        description="shown; or why not: not_served (deleted or hidden), excluded, never (an edit), seen, filtered, "
        "below_cut, not_proposed, rearranged (its score would do)."
    )
    text: str = Field(description="The verdict in a sentence.")
    position: int | None = Field(description="Its place in the slate, 1 the top; null outside it.")
    rank: int = Field(description="Its rank by score, 1 best; where it would be for one that may not appear.")
    n_eligible: int = Field(description="Items that may appear.")
    score: float = Field(description="The sum of `parts`.")
    served_score: float | None = Field(description="The score that was answered; null outside the slate.")
    gap: float | None = Field(description="Its score minus that of the slate's last place; null for an empty slate.")
    parts: dict[str, float] = Field(description="What the score is made of: text, id, context, prior, trend, rules.")
    phrases: list[str] = Field(
        description="What the item and the interest that speaks for it share: at most 3, the most wanted first."
    )
    evidence: list[WithoutEventAnswer] = Field(
        description="Those of the newest 10 events whose absence would change its rank, the most telling first."
    )
    context: ContextEffectAnswer = Field(description="What the request's context did to the item.")
    remedies: list[RemedyAnswer] = Field(
        description="For an item outside the slate what would lift it, at most 2 of a kind, or what would lift the "
        "rule that keeps it out. Empty for one shown."
    )
    reproduced: bool = Field(
        description="Whether the slate's scores, worked out anew from the events up to then, are those answered. "
        "False after edits, with another bundle: then this is an explanation of now."
    )
    bundle: str = Field(description="Version of the bundle that explains.")

    @classmethod
    def from_domain(cls, explanation: "PlaceExplanation") -> "ExplanationAnswer":
        return cls.model_validate(explanation)
