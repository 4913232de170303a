"""`/v1/popular`, `/v1/trending`, `/v1/fresh`, and what is similar: lists of items, and of users."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from app import domain
from app.api.schemas.fields import ItemRef, Scalar, ShownProperties, UserRef, Wire

if TYPE_CHECKING:
    from app.crowd.leaderboards import Leaderboard
    from app.retrieval.similar import SimilarItems, SimilarUser


class StandingAnswer(Wire):
    """An item of a list."""

    item_id: ItemRef
    worth: float = Field(
        description="What the list is ordered by. popular: the sum of the weights of its events; trending: its rise in "
        "standard deviations; fresh: when it came, in Unix seconds."
    )
    events: int = Field(description="Liked events of the item in the window.")
    properties: ShownProperties


class LeaderboardAnswer(Wire):
    """The same for all who ask, best first; up to a second old."""

    items: list[StandingAnswer] = Field(description="At most k; empty where nothing is in the window.")
    since: datetime | None = Field(description="Begin of the window; null while there is nothing in it.")
    until: datetime | None = Field(description="End of the window: the newest event, or the newest item.")

    @classmethod
    def from_domain(cls, board: "Leaderboard") -> "LeaderboardAnswer":
        return cls(
            items=[
                StandingAnswer(
                    item_id=standing.item.item_id,
                    worth=standing.worth,
                    events=standing.events,
                    properties=show_properties(standing.item),
                )
                for standing in board.standings
            ],
            since=board.since,
            until=board.until,
        )


class SimilarItemAnswer(Wire):
    item_id: ItemRef
    score: float = Field(description="Comparable within this answer only; the sum of `parts`.")
    parts: dict[str, float] = Field(
        description="text: likeness of what is written; behaviour: likeness of who likes them; taste: how much whoever "
        "asks would like it. Each is weighed already."
    )
    properties: ShownProperties


class SimilarItemsAnswer(Wire):
    """Most similar first."""

    item_id: ItemRef
    items: list[SimilarItemAnswer] = Field(description="At most k, the item itself left out.")
    rung: domain.Rung | None = Field(description="How the taste came about; null where it did not count.")
    degraded: list[str] = Field(description="What was missing for this answer; empty when nothing was.")

    @classmethod
    def from_domain(cls, item_id: str, found: "SimilarItems") -> "SimilarItemsAnswer":
        return cls(
            item_id=item_id,
            items=[
                SimilarItemAnswer(
                    item_id=each.item.item_id,
                    score=each.score,
                    parts=each.parts,
                    properties=show_properties(each.item),
                )
                for each in found.items
            ],
            rung=found.rung,
            degraded=list(found.degraded),
        )


class SimilarUserAnswer(Wire):
    user_id: UserRef
    likeness: float = Field(description="0 to 1, by what both liked; what fewer people like counts more.")
    shared_items: int = Field(description="Liked items in common, of the newest events of all users.")


class SimilarUsersAnswer(Wire):
    """Most alike first. Empty where the user's events are too long ago to be kept in memory."""

    user_id: UserRef
    users: list[SimilarUserAnswer] = Field(description="At most k, the user left out.")

    @classmethod
    def from_domain(cls, user_id: str, found: "Sequence[SimilarUser]") -> "SimilarUsersAnswer":
        return cls(
            user_id=user_id,
            users=[
                SimilarUserAnswer(user_id=each.user_id, likeness=each.likeness, shared_items=each.shared_items)
                for each in found
            ],
        )


def show_properties(item: domain.Item) -> dict[str, Scalar | list[Scalar]]:
    return {**item.properties, "title": item.title, "categories": list(item.categories)}
