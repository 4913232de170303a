"""For those who run the service: whether it lives, and whether it can serve. Never behind a key."""

from fastapi import APIRouter
from pydantic import Field

from app.api.dependencies import OpenResources
from app.api.openapi import problem_responses
from app.api.schemas.fields import Wire

router = APIRouter(tags=["operations"])


class Alive(Wire):
    status: str = Field("alive", description="Always alive: a process that is not gives no answer.")


class Ready(Wire):
    status: str = Field("ready", description="Always ready: one that is not answers 503.")
    checks: dict[str, str] = Field(description="What was checked, and what was found.")


@router.get("/livez", summary="Is the process alive?")
async def live() -> Alive:
    """An answer is all it takes: no dependency is asked, since restarting us would mend none."""
    return Alive()


@router.get("/readyz", summary="Can it serve?", responses=problem_responses(503))
async def ready(resources: OpenResources) -> Ready:
    """503 when it cannot. A cache that is down does not count: slates are then made without it."""
    return Ready(checks=dict(await resources.health.ready()))


@router.get("/healthz", summary="The same as /readyz", responses=problem_responses(503))
async def healthy(resources: OpenResources) -> Ready:
    """For load balancers that look here by habit."""
    return await ready(resources)
