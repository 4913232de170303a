"""What the routes ask of the rooms, and how they get it: the lifespan puts it into the request's state.

The protocols keep this layer free of torch and FAISS: the real objects come from `app.wiring`, the tests' from memory.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Protocol, TypedDict, cast

from fastapi import Depends, Request

from app.bundle import Manifest
from app.domain import (
    Event,
    InterestChange,
    InterestEdit,
    Item,
    ItemId,
    Likeness,
    RequestCheck,
    Slate,
    SlateRequest,
    UserId,
)
from app.experiments.experiment import Experiment
from app.experiments.results import Results
from app.history.features import Features
from app.rollout.shadow import ShadowPlan, ShadowReport
from app.slates.online_metrics import By, OnlineMetrics, Window

if TYPE_CHECKING:
    from app.catalogue.import_jobs import ImportJob
    from app.catalogue.property_schema import PropertyType
    from app.crowd.leaderboards import Leaderboard
    from app.explanation.map_places import SpaceMap
    from app.explanation.place import PlaceExplanation
    from app.history.observations import Observation
    from app.history.store import AppendResult
    from app.interests.reader import ReadableInterests
    from app.placements.placement import Placement
    from app.placements.store import PlacementVersion
    from app.retrieval.similar import SimilarItems, SimilarUser
    from app.rollout.rollout import Activated, Known
    from app.users.erasure import Receipt


class Recommender(Protocol):
    async def recommend(self, request: SlateRequest) -> Slate: ...

    async def check(self, request: SlateRequest) -> RequestCheck: ...

    async def recommend_page(self, requests: Sequence[SlateRequest]) -> Sequence[Slate]: ...

    async def recommend_next(self, slate_id: str, k: int | None = None) -> Slate:
        """Raises UnknownSlate."""
        ...

    async def rank(self, request: SlateRequest, listed: Sequence[ItemId | Item]) -> Slate: ...

    async def search(self, request: SlateRequest, breadth: int) -> Slate:
        """Raises Overloaded."""
        ...


class Histories(Protocol):
    async def append(
        self, events: Sequence[Event], received_at: datetime, observations: Sequence["Observation"] = ()
    ) -> "AppendResult":
        """Return once the events are on disk. Raises Overloaded, StoreUnavailable."""
        ...


class Catalogue(Protocol):
    async def put(self, item: Item) -> bool:
        """True if created. Raises Overloaded, StoreUnavailable."""
        ...

    async def get(self, item_id: ItemId) -> Item:
        """Raises UnknownItem."""
        ...

    async def put_many(self, items: Sequence[Item]) -> int:
        """How many were created. Raises Overloaded, StoreUnavailable."""
        ...

    async def revise(self, item_id: ItemId, change: Callable[[Item], Item]) -> Item:
        """What it has become. Raises UnknownItem, Overloaded, and what `change` raises."""
        ...

    def pages(self) -> AsyncIterator[list[Item]]:
        """All items, by id."""
        ...

    async def delete(self, item_id: ItemId) -> None:
        """Raises UnknownItem."""
        ...


class Properties(Protocol):
    async def read(self) -> dict[str, "PropertyType"]:
        """The declared types."""
        ...

    async def replace(self, types: Mapping[str, "PropertyType"]) -> None: ...


class Imports(Protocol):
    async def start(self, lines: BinaryIO, n_lines: int, parse: Callable[[bytes], Item]) -> "ImportJob":
        """Raises Overloaded."""
        ...


class ImportJobs(Protocol):
    async def get(self, job_id: str) -> "ImportJob":
        """Raises UnknownImport."""
        ...


class InterestReaders(Protocol):
    async def describe(self, user_id: UserId) -> "ReadableInterests":
        """Raises UnknownUser, Overloaded."""
        ...


class PlaceExplainers(Protocol):
    async def explain(self, slate_id: str, item_id: ItemId) -> "PlaceExplanation":
        """Raises UnknownSlate, UnknownItem, Overloaded."""
        ...


class InterestEditors(Protocol):
    async def edit(
        self, user_id: UserId, changes: Sequence[InterestChange]
    ) -> Sequence[tuple[InterestEdit, int | None]]:
        """All changes or none; give what is said then. Raises TooManyEdits, Overloaded, StoreUnavailable."""
        ...


class Merger(Protocol):
    async def merge(self, source: UserId, target: UserId) -> dict[str, int]:
        """Rows moved, by store. Raises MergeRefused."""
        ...


class Exporter(Protocol):
    def export(self, user_id: UserId) -> AsyncIterator[dict[str, Any]]: ...


class Erasure(Protocol):
    async def erase(self, user_id: UserId) -> "Receipt": ...


class Maps(Protocol):
    async def draw(self, request: SlateRequest, limit: int) -> "SpaceMap":
        """Up to `limit` items, and the interests of whoever the request is for, in two dimensions."""
        ...


class Leaderboards(Protocol):
    async def popular(
        self, k: int, window_s: int | None, category: str | None, bucket: int | None, features: Features
    ) -> "Leaderboard": ...

    async def trending(
        self, k: int, window_s: int | None, category: str | None, bucket: int | None, features: Features
    ) -> "Leaderboard": ...

    async def fresh(self, k: int, window_s: int | None, category: str | None) -> "Leaderboard": ...


class Similarity(Protocol):
    async def items(self, item_id: ItemId, by: Likeness, asker: SlateRequest, user_impact: float) -> "SimilarItems":
        """Raises UnknownItem."""
        ...

    async def users(self, user_id: UserId, k: int) -> Sequence["SimilarUser"]:
        """Raises UnknownUser."""
        ...


class Placements(Protocol):
    async def put(self, placement: "Placement", *, create: bool = False) -> "PlacementVersion":
        """Raises PlacementRefused; PlacementExists where it is to be created and is there."""
        ...

    async def delete(self, name: str) -> None:
        """Raises UnknownPlacement."""
        ...

    async def get(self, name: str, version: int | None = None) -> "PlacementVersion":
        """Raises UnknownPlacement."""
        ...

    async def versions(self, name: str) -> Sequence["PlacementVersion"]:
        """Raises UnknownPlacement."""
        ...

    async def all(self) -> Sequence["PlacementVersion"]: ...


class Health(Protocol):
    async def ready(self) -> Mapping[str, str]:
        """What was checked, and what was found; raises the PenchantError that keeps this process from serving."""
        ...


class Rollout(Protocol):
    """Raises UnknownBundle for a version that is not there, and BundleUnfit for one that cannot answer."""

    async def list(self) -> Sequence["Known"]: ...

    async def describe(self, version: str) -> tuple["Known", str | None, str | None]:
        """The bundle, its card and its metrics as JSON."""
        ...

    async def verify(self, version: str) -> tuple[Manifest, float]:
        """The manifest of what was verified, and the seconds it took."""
        ...

    async def activate(self, version: str) -> "Activated": ...

    async def roll_back(self) -> "Activated":
        """Raises NothingBefore."""
        ...


class Shadow(Protocol):
    async def start(self, version: str, share: float) -> ShadowPlan:
        """share 0 ends it. Raises UnknownBundle, BundleUnfit."""
        ...

    async def report(self, version: str) -> ShadowReport: ...


class Experiments(Protocol):
    """Methods that take a name raise UnknownExperiment."""

    async def list(self) -> Sequence[Experiment]: ...

    async def get(self, name: str) -> Experiment: ...

    async def create(self, experiment: Experiment) -> Experiment:
        """Raises ExperimentExists, UnknownBundle, BundleUnfit."""
        ...

    async def put(self, experiment: Experiment) -> tuple[Experiment, bool]:
        """As stored, and whether it was created. Raises UnknownBundle, BundleUnfit."""
        ...

    async def delete(self, name: str) -> None: ...

    async def results(self, name: str) -> Results: ...


class Online(Protocol):
    async def count_items(self) -> int: ...

    async def measure(
        self, window: Window, by: Collection[By], conversion_types: Sequence[str]
    ) -> Sequence[OnlineMetrics]: ...


class Resources(Protocol):
    """What answers a request: `app.wiring.Resources`, those of one bundle."""

    @property
    def recommender(self) -> Recommender: ...
    @property
    def histories(self) -> Histories: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def properties(self) -> Properties: ...
    @property
    def places(self) -> PlaceExplainers: ...
    @property
    def editor(self) -> InterestEditors: ...
    @property
    def readers(self) -> InterestReaders: ...
    @property
    def merger(self) -> Merger: ...
    @property
    def exporter(self) -> Exporter: ...
    @property
    def erasure(self) -> Erasure: ...
    @property
    def maps(self) -> Maps: ...
    @property
    def leaderboards(self) -> Leaderboards: ...
    @property
    def similarity(self) -> Similarity: ...
    @property
    def placements(self) -> Placements: ...
    @property
    def health(self) -> Health: ...


class Service(Protocol):
    """What `app.wiring.open_service` opens: it outlives every bundle."""

    @property
    def rollout(self) -> Rollout: ...
    @property
    def shadow(self) -> Shadow: ...
    @property
    def experiments(self) -> Experiments: ...
    @property
    def online(self) -> Online: ...
    @property
    def imports(self) -> Imports: ...
    @property
    def import_jobs(self) -> ImportJobs: ...

    def lease(self) -> AbstractContextManager[Resources]:
        """The active bundle's resources, kept open until the request is over."""
        ...


class State(TypedDict):
    """What the lifespan yields."""

    service: Service


async def get_resources(request: Request) -> AsyncIterator[Resources]:
    with cast("State", request.state)["service"].lease() as resources:
        yield resources


OpenResources = Annotated[Resources, Depends(get_resources)]


def get_service(request: Request) -> Service:
    return cast("State", request.state)["service"]


OpenService = Annotated[Service, Depends(get_service)]
"""For what is done to bundles rather than with one."""
