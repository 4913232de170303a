"""`/v1/metrics/online`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from app.api.dependencies import OpenService
from app.api.schemas.online_metrics import OnlineAnswer, OnlineGroup, OnlineQuery

router = APIRouter(prefix="/v1/metrics", tags=["operations"])


@router.get("/online", summary="Read what users made of their slates")
async def read_online_metrics(query: Annotated[OnlineQuery, Query()], service: OpenService) -> OnlineAnswer:
    """Click, conversion and coverage rates and latency, by placement, arm and bundle over time.

    A slate counts at the time it was served; a click counts for it when its event names the slate. Slates are written
    to the log a moment after they are answered.
    """
    window = query.to_window(datetime.now(UTC))
    measured = await service.online.measure(window, query.by, query.conversion_types)
    n_items = await service.online.count_items()
    groups = [OnlineGroup.from_domain(one, n_items) for one in measured]
    return OnlineAnswer(since=window.since, until=window.until, groups=groups)
