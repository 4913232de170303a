"""The rooms behind the HTTP layer, small and in memory, for tests of that layer alone."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

import numpy as np
from operations_fakes import FakeShadow, FixedOnline, MemoryExperiments

from app.bundle import FileEntry, Manifest
from app.catalogue.import_jobs import ImportJob, ImportState, LineError
from app.catalogue.property_schema import PropertyType
from app.crowd.leaderboards import Leaderboard, Standing
from app.domain import (
    EditOperation,
    Event,
    EventId,
    InterestChange,
    InterestEdit,
    Item,
    ItemId,
    Likeness,
    RequestCheck,
    Rung,
    ServedBy,
    Slate,
    SlateItem,
    SlateRequest,
    Source,
    UserId,
)
from app.errors import (
    BundleUnfit,
    MergeRefused,
    NothingBefore,
    PenchantError,
    PlacementExists,
    PlacementRefused,
    UnknownBundle,
    UnknownImport,
    UnknownItem,
    UnknownPlacement,
    UnknownSlate,
    UnknownUser,
)
from app.explanation.map_places import MapInterest, MapItem, SpaceMap
from app.explanation.place import ContextEffect, PlaceExplanation, Remedy, Verdict, WithoutEvent
from app.history.features import Features
from app.history.observations import Observation
from app.history.store import AppendResult
from app.interests.reader import Evidence, Interest, ReadableInterests
from app.placements.placement import Placement
from app.placements.store import PlacementVersion
from app.retrieval.similar import SimilarItem, SimilarItems, SimilarUser
from app.rollout.rollout import Activated, Known
from app.settings import Settings
from app.users.erasure import Receipt

MAX_BODY_BYTES = 300_000
MANIFEST = Manifest(
    version="0" * 12,
    dataset="films",
    dataset_digest="d",
    text_model="t",
    user_model="u",
    recipe="tiny",
    seed=0,
    protocol="loo",
    n_items=1,
    text_dim=2,
    id_dim=2,
    prior_dim=2,
    interests=3,
    history_events=5,
    torch="2",
    files={"card.md": FileEntry(sha256="0" * 64, size_bytes=7)},
)


class MemoryCatalogue:
    def __init__(self) -> None:
        star_wars = Item(ItemId("50"), "Star Wars (1977)", ("Action", "Sci-Fi"), properties={"year": 1977})
        self.items = {star_wars.item_id: star_wars}

    async def put(self, item: Item) -> bool:
        created = item.item_id not in self.items
        self.items[item.item_id] = item
        return created

    async def get(self, item_id: ItemId) -> Item:
        if item_id not in self.items:
            raise UnknownItem(f"no item {item_id!r}")
        return self.items[item_id]

    async def delete(self, item_id: ItemId) -> None:
        await self.get(item_id)
        del self.items[item_id]

    async def put_many(self, items: Sequence[Item]) -> int:
        return sum([await self.put(item) for item in items])

    async def revise(self, item_id: ItemId, change: Callable[[Item], Item]) -> Item:
        self.items[item_id] = change(await self.get(item_id))
        return self.items[item_id]

    async def pages(self) -> AsyncIterator[list[Item]]:
        yield sorted(self.items.values(), key=lambda item: item.item_id)


class MemoryProperties:
    def __init__(self) -> None:
        self.types: dict[str, PropertyType] = {}

    async def read(self) -> dict[str, PropertyType]:
        return self.types

    async def replace(self, types: Mapping[str, PropertyType]) -> None:
        self.types = dict(types)


class ImportsAtOnce:
    """An importer that is done when it answers."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self.catalogue = catalogue
        self.jobs: dict[str, ImportJob] = {}

    async def start(self, lines: BinaryIO, n_lines: int, parse: Callable[[bytes], Item]) -> ImportJob:
        items, errors = [], []
        with lines:
            for number, line in enumerate(lines, 1):
                try:
                    items.append(parse(line))
                except PenchantError as error:
                    errors.append(LineError(number, str(error)))
        created = await self.catalogue.put_many(items)
        at = datetime.now(UTC)
        counts = {"n_done": n_lines, "n_created": created, "n_replaced": len(items) - created, "n_failed": len(errors)}
        job = ImportJob("job-1", n_lines, at, ImportState.DONE, **counts, errors=tuple(errors), finished_at=at)
        self.jobs[job.job_id] = job
        return job

    async def get(self, job_id: str) -> ImportJob:
        if job_id not in self.jobs:
            raise UnknownImport(f"no import {job_id!r}")
        return self.jobs[job_id]


class MemoryHistories:
    def __init__(self) -> None:
        self.events: dict[EventId, tuple[Any, datetime]] = {}

    async def append(
        self, events: Sequence[Event], received_at: datetime, observations: Sequence[Observation] = ()
    ) -> AppendResult:
        stored, duplicates, conflicts = [], [], []
        for event in [*events, *observations]:
            told = _told(event, received_at)
            if event.event_id not in self.events:
                self.events[event.event_id] = (event, received_at)
                stored.append(event.event_id)
            elif _told(*self.events[event.event_id]) == told:
                duplicates.append(event.event_id)
            else:
                conflicts.append(event.event_id)
        return AppendResult(tuple(stored), tuple(duplicates), tuple(conflicts))


class FirstItems:
    """A recommender that knows no taste: the catalogue's first k items. Keeps the request; raises `error` if set."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self.catalogue = catalogue
        self.request: SlateRequest | None = None
        self.error: Exception | None = None
        self.degraded: tuple[str, ...] = ()

    async def recommend(self, request: SlateRequest) -> Slate:
        self.request = request
        if self.error is not None:
            raise self.error
        items = [item for item in self.catalogue.items.values() if item.item_id not in request.exclude]
        places = tuple(SlateItem(item, 1.5, {"text": 1.0, "prior": 0.5}, (Source.POPULAR,), -1) for item in items)
        unknown = tuple(e.item_id for e in request.history if e.item_id not in self.catalogue.items)
        served_by = ServedBy("bundle-1", Rung.POPULAR, None, self.degraded, {"retrieval": 0.25}, unknown)
        return Slate("slate-1", places[: request.k or 20], served_by, request.return_properties, has_next=True)

    async def search(self, request: SlateRequest, breadth: int) -> Slate:
        self.breadth = breadth
        return await self.recommend(request)

    async def check(self, request: SlateRequest) -> RequestCheck:
        self.request = request
        return RequestCheck(len(self.catalogue.items), (1,) * len(request.boosts), ("ghost",), ("yaer",))

    async def recommend_page(self, requests: Sequence[SlateRequest]) -> list[Slate]:
        return [await self.recommend(request) for request in requests]

    async def recommend_next(self, slate_id: str, k: int | None = None) -> Slate:
        """Of a first page of nothing."""
        if slate_id != "slate-1" or self.request is None:
            raise UnknownSlate(f"no slate {slate_id!r}")
        return await self.recommend(replace(self.request, k=k or self.request.k))

    async def rank(self, request: SlateRequest, listed: Sequence[ItemId | Item]) -> Slate:
        """In the order given."""
        self.request = request
        known = [self.catalogue.items.get(each) if isinstance(each, str) else each for each in listed]
        places = tuple(SlateItem(item, 1.5, {"text": 1.5}, (Source.CALLER,), -1) for item in known if item)
        unknown = tuple(each for each, item in zip(listed, known, strict=True) if item is None)
        return Slate("slate-1", places, ServedBy("bundle-1", Rung.FRESH, 0.5, (), {}, unknown))


class FixedLists:
    """The first item is all that is popular, rising or new; nobody is like anybody but "2"."""

    def __init__(self, catalogue: MemoryCatalogue, histories: MemoryHistories) -> None:
        self.catalogue = catalogue
        self.histories = histories
        self.asked: tuple[object, ...] = ()

    async def popular(
        self, k: int, window_s: int | None, category: str | None, bucket: int | None, features: Features
    ) -> Leaderboard:
        self.asked = ("popular", k, window_s, category, bucket, features)
        return self._board()

    async def trending(
        self, k: int, window_s: int | None, category: str | None, bucket: int | None, features: Features
    ) -> Leaderboard:
        self.asked = ("trending", k, window_s, category, bucket, features)
        return self._board()

    async def fresh(self, k: int, window_s: int | None, category: str | None) -> Leaderboard:
        self.asked = ("fresh", k, window_s, category)
        return Leaderboard((), None, None)

    async def items(self, item_id: ItemId, by: Likeness, asker: SlateRequest, user_impact: float) -> SimilarItems:
        self.asked = (item_id, by, asker.user_id, asker.k, user_impact)
        item = await self.catalogue.get(item_id)
        return SimilarItems((SimilarItem(item, 0.5, {"text": 0.25, "behaviour": 0.25}),), None, ())

    async def users(self, user_id: UserId, k: int) -> list[SimilarUser]:
        self.asked = (user_id, k)
        if user_id not in {event.user_id for event, _ in self.histories.events.values()}:
            raise UnknownUser(f"no event of {user_id!r}")
        return [SimilarUser(UserId("2"), 0.5, 3)]

    def _board(self) -> Leaderboard:
        at = datetime(2025, 6, 6, tzinfo=UTC)
        return Leaderboard((Standing(next(iter(self.catalogue.items.values())), 1.5, 2),), at, at)


class LastEvent:
    """Reads a user's last event as their one interest. Raises `error` if set."""

    def __init__(self, histories: MemoryHistories) -> None:
        self.histories = histories
        self.error: Exception | None = None

    async def describe(self, user_id: UserId) -> ReadableInterests:
        if self.error is not None:
            raise self.error
        told = (event for event, _ in self.histories.events.values() if isinstance(event, Event))
        events = [event for event in told if event.user_id == user_id]
        if not events:
            raise UnknownUser(f"no event of {user_id!r}")
        last = events[-1]
        evidence = Evidence(last.event_id, last.item_id, "A film", last.at, 0.5)
        interest = Interest("space", ("space", "robots"), 1.0, "positive", 0.9, last.at, None, (evidence,))
        return ReadableInterests((interest,), [])


class FixedPlaces:
    """Every item of the catalogue is first in every slate, and stays there without its one event."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue

    async def explain(self, slate_id: str, item_id: ItemId) -> PlaceExplanation:
        item = await self._catalogue.get(item_id)
        evidence = WithoutEvent(
            "e1", item_id, item.title, datetime(2025, 6, 1, tzinfo=UTC), 1.0, 3, 2, "Without it: 3rd"
        )
        remedy = Remedy("phrase", "Steered by it", {"steer": "western", "steer_weight": 0.5}, 1, enters=True)
        return PlaceExplanation(
            slate_id=slate_id,
            item_id=item_id,
            title=item.title,
            verdict=Verdict.SHOWN,
            text=f"{item.title} is in place 1",
            position=1,
            rank=1,
            n_eligible=3,
            score=1.5,
            served_score=1.5,
            gap=0.0,
            parts={"text": 1.0, "prior": 0.5},
            phrases=("western",),
            evidence=(evidence,),
            context=ContextEffect(part=0.1, open_score=1.4, open_rank=2, text="In no context it would rank 2nd"),
            remedies=(remedy,),
            reproduced=True,
            bundle="bundle-1",
        )


class LastSaid:
    """Keeps what was last said of each phrase. Every `never` removes three items. Raises `error` if set."""

    def __init__(self) -> None:
        self.said: dict[str, InterestEdit] = {}
        self.error: Exception | None = None

    async def edit(self, _user_id: UserId, changes: Sequence[InterestChange]) -> list[tuple[InterestEdit, int | None]]:
        if self.error is not None:
            raise self.error
        for change in changes:
            if change.operation is not EditOperation.RESET:
                at = datetime(2025, 6, 6, 20, 30, tzinfo=UTC)
                nothing = np.empty(0, dtype=np.float32)
                self.said[change.phrase] = InterestEdit(change.operation, change.phrase, at, nothing, "bundle-1")
            elif change.phrase:
                self.said.pop(change.phrase, None)
            else:
                self.said.clear()
        return [(edit, 3 if edit.operation is EditOperation.NEVER else None) for edit in self.said.values()]


class WholeUsers:
    """Merges, exports and erases users of `MemoryHistories`."""

    def __init__(self, histories: MemoryHistories) -> None:
        self.histories = histories

    def _of(self, user_id: UserId) -> list[EventId]:
        return [key for key, (event, _) in self.histories.events.items() if event.user_id == user_id]

    async def merge(self, source: UserId, target: UserId) -> dict[str, int]:
        if source == target:
            raise MergeRefused("the same")
        moved = self._of(source)
        for key in moved:
            event, received_at = self.histories.events[key]
            self.histories.events[key] = (replace(event, user_id=target), received_at)
        return {"events": len(moved)}

    async def export(self, user_id: UserId) -> AsyncIterator[dict[str, Any]]:
        for key in self._of(user_id):
            yield {"store": "events", "row": {"event_id": key}}

    async def erase(self, user_id: UserId) -> Receipt:
        gone = self._of(user_id)
        for key in gone:
            del self.histories.events[key]
        return Receipt("receipt-1", user_id, datetime.now(UTC), {"events": len(gone)}, {})


class FlatMap:
    """Every item on the diagonal; the words, or the user, at the origin."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self.catalogue = catalogue

    async def draw(self, request: SlateRequest, limit: int) -> SpaceMap:
        items = list(self.catalogue.items.values())
        label = request.words or request.user_id
        source = Source.WORDS if request.words else Source.INTERESTS
        interests = (MapInterest(label, source, 0.0, 0.0, (items[0].item_id,)),) if label else ()
        places = tuple(MapItem(item, float(place), float(place)) for place, item in enumerate(items[:limit]))
        return SpaceMap("bundle-1", (0.5, 0.25), places, interests, len(items), ())


class FixedHealth:
    def __init__(self) -> None:
        self.error: Exception | None = None

    async def ready(self) -> dict[str, str]:
        if self.error is not None:
            raise self.error
        return {"bundle": "bundle-1", "store": "writable", "cache": "memory: this process only"}


class FakeRollout:
    """Two bundles, "0" * 12 answering first and "1" * 12 beside it; "2" * 12 is damaged."""

    def __init__(self) -> None:
        self.active = "0" * 12
        self.before: str | None = None

    async def list(self) -> list[Known]:
        return [self._known(digit * 12) for digit in "012"]

    async def describe(self, version: str) -> tuple[Known, str, str]:
        return self._known(version), "# A card", '{"ndcg": 0.1}'

    async def verify(self, version: str) -> tuple[Manifest, float]:
        manifest = self._known(version).manifest
        if version == "2" * 12:
            raise BundleUnfit("space.safetensors is damaged")
        return manifest, 0.25

    async def activate(self, version: str) -> Activated:
        await self.verify(version)
        self.before, self.active = self.active, version
        return Activated(version, self.before, 3, 0.5)

    async def roll_back(self) -> Activated:
        if self.before is None:
            raise NothingBefore("only one has answered so far")
        return await self.activate(self.before)

    def _known(self, version: str) -> Known:
        if version not in {digit * 12 for digit in "012"}:
            raise UnknownBundle(f"no bundle {version!r}")
        answers = version == self.active
        return Known(MANIFEST.model_copy(update={"version": version}), active=answers, serving=answers)


class MemoryPlacements:
    """Every version in a list. Knows two sources."""

    def __init__(self) -> None:
        self.all_versions: list[PlacementVersion] = []

    async def put(self, placement: Placement, *, create: bool = False) -> PlacementVersion:
        if not {"interests", "trending"}.issuperset(placement.sources or ()):
            raise PlacementRefused("sources: there is no such source")
        known = [version for version in self.all_versions if version.name == placement.name]
        there = bool(known) and known[-1].placement is not None
        if there and create:
            raise PlacementExists(f"{placement.name!r} is there")
        return self._add(placement.name, placement, created=not there)

    async def delete(self, name: str) -> None:
        await self.get(name)
        self._add(name, None)

    async def get(self, name: str, version: int | None = None) -> PlacementVersion:
        found = [each for each in self.all_versions if each.name == name and version in {None, each.version}]
        if not found or found[-1].placement is None:
            raise UnknownPlacement(f"no placement {name!r}")
        return replace(found[-1], created=False)

    async def versions(self, name: str) -> list[PlacementVersion]:
        found = [each for each in reversed(self.all_versions) if each.name == name]
        if not found:
            raise UnknownPlacement(f"no placement {name!r}")
        return found

    async def all(self) -> list[PlacementVersion]:
        newest = {version.name: version for version in self.all_versions}
        return [newest[name] for name in sorted(newest) if newest[name].placement is not None]

    def _add(self, name: str, placement: Placement | None, *, created: bool = False) -> PlacementVersion:
        number = 1 + sum(version.name == name for version in self.all_versions)
        at = datetime(2025, 6, 6, tzinfo=UTC)
        version = PlacementVersion(name, number, at, placement, len(self.all_versions) + 1, created)
        self.all_versions.append(version)
        return version


@dataclass
class FakeResources:
    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    histories: MemoryHistories = field(default_factory=MemoryHistories)
    properties: MemoryProperties = field(default_factory=MemoryProperties)
    health: FixedHealth = field(default_factory=FixedHealth)
    placements: MemoryPlacements = field(default_factory=MemoryPlacements)

    def __post_init__(self) -> None:
        self.rollout = FakeRollout()
        self.shadow = FakeShadow(self.rollout)
        self.experiments = MemoryExperiments()
        self.online = FixedOnline()
        self.recommender = FirstItems(self.catalogue)
        self.imports = self.import_jobs = ImportsAtOnce(self.catalogue)
        self.readers = LastEvent(self.histories)
        self.merger = self.exporter = self.erasure = WholeUsers(self.histories)
        self.maps = FlatMap(self.catalogue)
        self.leaderboards = self.similarity = FixedLists(self.catalogue, self.histories)
        self.editor = LastSaid()
        self.places = FixedPlaces(self.catalogue)

    def lease(self) -> AbstractContextManager["FakeResources"]:
        return nullcontext(self)

    @asynccontextmanager
    async def open(self, _settings: Settings) -> AsyncIterator["FakeResources"]:
        yield self


def _told(event: Event | Observation, received_at: datetime) -> Event | Observation:
    return replace(event, at=datetime.min.replace(tzinfo=UTC)) if event.at == received_at else event
