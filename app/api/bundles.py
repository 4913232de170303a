"""`/v1/bundles`."""

import json
from typing import Annotated

from fastapi import APIRouter, Path

import app.api.paths  # noqa: F401  # what the paths below are written in
from app.api.dependencies import OpenService
from app.api.openapi import problem_responses
from app.api.schemas.bundles import (
    ActivatedAnswer,
    BundleAnswer,
    BundleDetails,
    BundleList,
    BundleVersion,
    VerifiedAnswer,
)

router = APIRouter(prefix="/v1/bundles", tags=["bundles"])

Version = Annotated[BundleVersion, Path(description="Version of a bundle, from the list.")]


@router.get("", summary="List bundles")
async def list_bundles(service: OpenService) -> BundleList:
    return BundleList(bundles=[BundleAnswer.from_known(known) for known in await service.rollout.list()])


@router.get("/{version:before_verb}", summary="Read about a bundle")
async def get_bundle(version: Version, service: OpenService) -> BundleDetails:
    """Its manifest, its card and the metrics of its evaluation."""
    known, card, metrics = await service.rollout.describe(version)
    return BundleDetails.from_parts(known, card, None if metrics is None else json.loads(metrics))


@router.post("/{version:before_verb}:verify", summary="Verify a bundle", responses=problem_responses(409))
async def verify_bundle(version: Version, service: OpenService) -> VerifiedAnswer:
    """Reads every byte and asks every golden query, beside the running bundle. 409 says what is wrong."""
    return VerifiedAnswer.from_manifest(*await service.rollout.verify(version))


@router.post("/{version:before_verb}:activate", summary="Let a bundle answer", responses=problem_responses(409))
async def activate_bundle(version: Version, service: OpenService) -> ActivatedAnswer:
    """It is opened beside the running one, verified and warmed, and answers from the next request on; none fails.

    The other processes follow within seconds, and a restart keeps to it. 409, and no change, when it is unfit.
    """
    return ActivatedAnswer.from_domain(await service.rollout.activate(version))


@router.post(":rollback", summary="Go back to the bundle before", responses=problem_responses(409))
async def roll_back_bundle(service: OpenService) -> ActivatedAnswer:
    """Activates the bundle that answered before the present one; asked twice, the present one again."""
    return ActivatedAnswer.from_domain(await service.rollout.roll_back())
