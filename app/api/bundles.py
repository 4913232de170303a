"""`/v1/bundles`."""

import json
from typing import Annotated

from fastapi import APIRouter, Body, Path

import app.api.paths  # noqa: F401  # what the paths below are written in
from app.api.dependencies import OpenService
from app.api.openapi import Examples, problem_responses
from app.api.schemas.bundles import (
    ActivatedAnswer,
    BundleAnswer,
    BundleDetails,
    BundleList,
    BundleVersion,
    ShadowAnswer,
    ShadowIn,
    ShadowReportAnswer,
    VerifiedAnswer,
)

router = APIRouter(prefix="/v1/bundles", tags=["bundles"])

Version = Annotated[BundleVersion, Path(description="Version of a bundle, from the list.")]

SHARES: Examples = {"a tenth": {"summary": "Of all slates", "value": {"share": 0.1}}}


@router.get("", summary="List bundles")
async def list_bundles(service: OpenService) -> BundleList:
    """Those that lie beside the one that the server was started with, fit to answer or not: verify one first."""
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


@router.post("/{version:before_verb}:shadow", summary="Let a bundle answer unseen", responses=problem_responses(409))
async def shadow_bundle(
    version: Version, plan: Annotated[ShadowIn, Body(openapi_examples=SHARES)], service: OpenService
) -> ShadowAnswer:
    """A share of the slates asked for is computed a second time by this bundle, after the answer, and compared.

    One bundle at a time; asked again, the comparison begins anew.
    """
    return ShadowAnswer.from_domain(await service.shadow.start(version, plan.share))


@router.get("/{version:before_verb}/shadow", summary="Read how a bundle would have answered")
async def get_shadow_report(version: Version, service: OpenService) -> ShadowReportAnswer:
    """Overlap and order of its slates against those that were served, and the time that both took."""
    return ShadowReportAnswer.from_domain(await service.shadow.report(version))


@router.post(":rollback", summary="Go back to the bundle before", responses=problem_responses(409))
async def roll_back_bundle(service: OpenService) -> ActivatedAnswer:
    """Activates the bundle that answered before the present one; asked twice, the present one again."""
    return ActivatedAnswer.from_domain(await service.rollout.roll_back())
