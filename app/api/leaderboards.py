"""`GET /v1/popular`, `/v1/trending` and `/v1/fresh`: lists that are the same for all who ask."""

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from app.api.dependencies import OpenResources
from app.api.schemas.context import FEATURE_NAME, FEATURES, LONGEST_VALUE
from app.api.schemas.fields import CONTROL
from app.api.schemas.lists import LeaderboardAnswer
from app.history.features import Features

router = APIRouter(prefix="/v1", tags=["lists"])

LONGEST_S = 100 * 365 * 86_400

Length = Annotated[int, Query(ge=1, le=500, description="Length of the list, in items: 1 to 500.")]
Category = Annotated[
    str | None, Query(min_length=1, max_length=100, description="Only items of this category. Default: all.")
]
PartOfWeek = Literal[
    "weekday night",
    "weekday morning",
    "weekday day",
    "weekday evening",
    "weekend night",
    "weekend morning",
    "weekend day",
    "weekend evening",
]
"""In the order of `app.scoring.prior.BUCKET_NAMES`."""
Part = Annotated[
    PartOfWeek | None,
    Query(description="Only events of this quarter of a weekday or weekend day, in UTC. Default: all."),
]

Feature = Annotated[str, StringConstraints(pattern=f"^{FEATURE_NAME}:[^{CONTROL}]{{1,{LONGEST_VALUE}}}$")]
FeaturesTold = Annotated[
    tuple[Feature, ...],
    Query(
        alias="feature",
        max_length=FEATURES,
        description="Only events in whose context this feature held, as name:value, such as device:phone; of several "
        "features all, of several values of one feature any. An event has the context it was sent with, else that of "
        "the request of its slate. Default: all.",
    ),
]


@router.get("/popular", summary="What is liked most")
async def list_popular(
    resources: OpenResources,
    k: Length = 20,
    window_s: Annotated[
        int | None,
        Query(
            ge=1, le=LONGEST_S, description="Seconds of the window, up to the newest event. Default: all that is kept."
        ),
    ] = None,
    category: Category = None,
    part_of_week: Part = None,
    features: FeaturesTold = (),
) -> LeaderboardAnswer:
    """By the sum of the weights of what all users did, of the newest events that are kept in memory."""
    board = await resources.leaderboards.popular(k, window_s, category, _bucket(part_of_week), _split(features))
    return LeaderboardAnswer.from_domain(board)


@router.get("/trending", summary="What has begun to be liked")
async def list_trending(
    resources: OpenResources,
    k: Length = 20,
    window_s: Annotated[
        int,
        Query(
            ge=1, le=LONGEST_S, description="Seconds after which an event counts half. Default: 259,200 (three days)."
        ),
    ] = 259_200,
    category: Category = None,
    part_of_week: Part = None,
    features: FeaturesTold = (),
) -> LeaderboardAnswer:
    """By how far an item's recent events go beyond its usual share; what does not rise is not listed."""
    board = await resources.leaderboards.trending(k, window_s, category, _bucket(part_of_week), _split(features))
    return LeaderboardAnswer.from_domain(board)


@router.get("/fresh", summary="What is new")
async def list_fresh(
    resources: OpenResources,
    k: Length = 20,
    window_s: Annotated[
        int | None,
        Query(ge=1, le=LONGEST_S, description="Window in seconds, ending at the newest item. Default: no bound."),
    ] = None,
    category: Category = None,
) -> LeaderboardAnswer:
    """By when an item was put; by its first event where it came with the bundle and nobody knows.

    There is no `feature` here: an item is new to all, and the newest have no event yet in any context. What is new in a
    context is what `/v1/trending` lists there.
    """
    return LeaderboardAnswer.from_domain(await resources.leaderboards.fresh(k, window_s, category))


def _bucket(part_of_week: PartOfWeek | None) -> int | None:
    return None if part_of_week is None else get_args(PartOfWeek).index(part_of_week)


def _split(features: tuple[str, ...]) -> Features:
    return frozenset((name, value) for name, _, value in (told.partition(":") for told in features))
