"""`/v1/placements`."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response, status

from app.api.dependencies import OpenResources
from app.api.openapi import Examples, problem_responses
from app.api.schemas.placements import (
    NewPlacement,
    PlacementAnswer,
    PlacementName,
    PlacementRules,
    PlacementsAnswer,
    VersionsAnswer,
)

router = APIRouter(prefix="/v1/placements", tags=["placements"])

OURS: Examples = {"home": {"summary": "A placement of your own", "value": "home"}}
Name = Annotated[PlacementName, Path(openapi_examples=OURS)]

RULES: Examples = {
    "varied": {
        "summary": "Ten items, not two alike, at most three of a kind, one place in ten left to chance",
        "value": {"k": 10, "diversity": 0.3, "max_per_category": 3, "exploration": 0.1},
    },
    "trending": {
        "summary": "A shelf of what has begun to be liked, in the order this user would want it",
        "value": {"k": 8, "sources": {"trending": 100}, "description": "Trending now"},
    },
    "shop window": {
        "summary": "A pinned item, two places that are paid for, and nothing of one category more than twice",
        "value": {
            "k": 10,
            "pins": {"1": "50"},
            "sponsored": {"share": 0.2, "label": "Advertisement"},
            "caps": {"Horror": 2},
        },
    },
}
NEW: Examples = {
    "home": {
        "summary": "The first shelf of the start page",
        "value": {"name": "home-top", "k": 12, "diversity": 0.3, "max_per_category": 4},
    }
}


@router.get("", summary="List the placements")
async def list_placements(resources: OpenResources) -> PlacementsAnswer:
    """Each in the version that is in force."""
    placements = await resources.placements.all()
    return PlacementsAnswer(placements=[PlacementAnswer.from_domain(version) for version in placements])


@router.post("", summary="Create a placement", status_code=status.HTTP_201_CREATED, responses=problem_responses(409))
async def create_placement(
    placement: Annotated[NewPlacement, Body(openapi_examples=NEW)], resources: OpenResources
) -> PlacementAnswer:
    """409 when one of this name is there. Requests may name it at once; in every process within a second."""
    version = await resources.placements.put(placement.to_domain(placement.name), create=True)
    return PlacementAnswer.from_domain(version)


@router.get("/{name}", summary="Read a placement")
async def get_placement(
    name: Name,
    resources: OpenResources,
    version: Annotated[
        int | None, Query(ge=1, le=2**31, description="An earlier version. Default: the one in force.")
    ] = None,
) -> PlacementAnswer:
    """Its rules, the defaults written out, in the version in force or an earlier one."""
    return PlacementAnswer.from_domain(await resources.placements.get(name, version))


@router.get("/{name}/versions", summary="Read how a placement has changed")
async def list_placement_versions(name: Name, resources: OpenResources) -> VersionsAnswer:
    """Every version there ever was, the newest first. To go back, PUT the rules of an earlier one."""
    versions = await resources.placements.versions(name)
    return VersionsAnswer(versions=[PlacementAnswer.from_domain(version) for version in versions])


@router.put(
    "/{name}",
    summary="Create or change a placement",
    responses={
        status.HTTP_200_OK: {"description": "Changed"},
        status.HTTP_201_CREATED: {"description": "Created", "model": PlacementAnswer},
        **problem_responses(409),
    },
)
async def put_placement(
    name: Name,
    rules: Annotated[PlacementRules, Body(openapi_examples=RULES)],
    resources: OpenResources,
    response: Response,
) -> PlacementAnswer:
    """Makes the next version, in force at once here and within a second in every process. The earlier ones stay."""
    version = await resources.placements.put(rules.to_domain(name))
    if version.created:
        response.status_code = status.HTTP_201_CREATED
    return PlacementAnswer.from_domain(version)


@router.delete("/{name}", summary="Delete a placement", status_code=status.HTTP_204_NO_CONTENT, response_class=Response)
async def delete_placement(name: Name, resources: OpenResources) -> None:
    """Requests that name it are refused from now on. Its versions can still be read."""
    await resources.placements.delete(name)
