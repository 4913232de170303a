"""`/v1/experiments`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response, status

from app.api.dependencies import OpenService
from app.api.openapi import Examples, problem_responses
from app.api.schemas.experiments import (
    ExperimentAnswer,
    ExperimentIn,
    ExperimentList,
    Name,
    NewExperiment,
    ResultsAnswer,
)
from app.experiments.results import STOP_RULES

router = APIRouter(prefix="/v1/experiments", tags=["experiments"])

OURS: Examples = {"mixed slates": {"summary": "An experiment of your own", "value": "mixed-slates"}}
ExperimentName = Annotated[Name, Path(description="Name of an experiment.", openapi_examples=OURS)]

ARMS = {"arms": [{}, {"diversity": 0.3}], "effect": 0.02}
EXAMPLES: Examples = {"diversity": {"summary": "Does a more mixed slate win more clicks?", "value": ARMS}}
NEW_EXAMPLES: Examples = {
    "diversity": {
        "summary": "Does a more mixed slate win more clicks?",
        "value": {"name": "mixed-slates", **ARMS, "traffic": 0.5},
    }
}


@router.get("", summary="List experiments")
async def list_experiments(service: OpenService) -> ExperimentList:
    """By name, which is also the order in which a request is put into them. Ended ones are not among them."""
    return ExperimentList(experiments=[ExperimentAnswer.from_domain(one) for one in await service.experiments.list()])


@router.post("", summary="Start an experiment", status_code=status.HTTP_201_CREATED, responses=problem_responses(409))
async def create_experiment(
    experiment: Annotated[NewExperiment, Body(openapi_examples=NEW_EXAMPLES)], service: OpenService
) -> ExperimentAnswer:
    """From now on each user, or session, is served by the arm that a hash of experiment and id gives, always the same.

    The arm is told in `served_by.arm` and kept with the slate. Bundles of arms are opened before this answers.
    """
    created = await service.experiments.create(experiment.to_named(datetime.now(UTC)))
    return ExperimentAnswer.from_domain(created)


@router.get("/{name}", summary="Read an experiment")
async def get_experiment(name: ExperimentName, service: OpenService) -> ExperimentAnswer:
    """As it was created or last replaced, the defaults written out."""
    return ExperimentAnswer.from_domain(await service.experiments.get(name))


@router.put(
    "/{name}",
    summary="Create or replace an experiment",
    responses={
        status.HTTP_200_OK: {"description": "Replaced"},
        status.HTTP_201_CREATED: {"description": "Created", "model": ExperimentAnswer},
        **problem_responses(409),
    },
)
async def put_experiment(
    name: ExperimentName,
    experiment: Annotated[ExperimentIn, Body(openapi_examples=EXAMPLES)],
    service: OpenService,
    response: Response,
) -> ExperimentAnswer:
    """Results begin anew when arms, traffic or placements change: what was served before was another experiment."""
    stored, created = await service.experiments.put(experiment.to_domain(name, datetime.now(UTC)))
    if created:
        response.status_code = status.HTTP_201_CREATED
    return ExperimentAnswer.from_domain(stored)


@router.delete("/{name}", summary="End an experiment", status_code=status.HTTP_204_NO_CONTENT, response_class=Response)
async def delete_experiment(name: ExperimentName, service: OpenService) -> None:
    """Nobody is put into it any more. Slates it served keep the mark of their arm."""
    await service.experiments.delete(name)


@router.get("/{name}/results", summary="Read what came of an experiment")
async def get_experiment_results(name: ExperimentName, service: OpenService) -> ResultsAnswer:
    """Success rates of the arms, their difference to the first with an interval that holds at every look, and whether
    the experiment may stop. So it may be read as often as one likes: peeking does no harm."""
    return ResultsAnswer.from_domain(await service.experiments.results(name), STOP_RULES)
