"""`/problems`: what the `type` of a problem leads to."""

from fastapi import APIRouter
from pydantic import Field

from app.api.openapi import error_kinds, problem_responses
from app.api.problems import problem_type
from app.api.refusals import NoSuchRoute
from app.api.schemas.fields import Wire
from app.errors import PenchantError

router = APIRouter(prefix="/problems", tags=["operations"])


class ProblemType(Wire):
    type: str = Field(description="As problems carry it; its path on this server leads here.")
    title: str = Field(description="The same for every problem of this type.")
    status: int = Field(description="The HTTP status it is answered with, 400 to 599.")
    about: str = Field(description="When it happens, and what to do.")
    retry_after_s: int | None = Field(description="When a retry makes sense, in seconds; null when it does not.")


@router.get("", summary="List the types of problems")
async def list_problem_types() -> list[ProblemType]:
    """All that this server's refusals can be."""
    return [_show(kind) for kind in error_kinds()]


@router.get("/{slug}", summary="Read about a type of problem", responses=problem_responses(404, 422))
async def get_problem_type(slug: str) -> ProblemType:
    """What a problem's `type` leads to: when it happens, and what to do."""
    for kind in error_kinds():
        if kind.slug == slug:
            return _show(kind)
    raise NoSuchRoute("There is no such type of problem: GET /problems lists them all.")


def _show(kind: type[PenchantError]) -> ProblemType:
    return ProblemType(
        type=problem_type(kind),
        title=kind.title,
        status=kind.status,
        about=" ".join((kind.__doc__ or kind.title).split()),
        retry_after_s=kind.retry_after_s,
    )
