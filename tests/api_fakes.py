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
from app.domain import (
    EditOperation,
    Event,
    EventId,
    InterestChange,
    InterestEdit,
    Item,
    ItemId,
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
    UnknownBundle,
    UnknownImport,
    UnknownItem,
    UnknownSlate,
    UnknownUser,
)
from app.explanation.map_places import MapInterest, MapItem, SpaceMap
from app.history.observations import Observation
from app.history.store import AppendResult
from app.interests.reader import Evidence, Interest, ReadableInterests
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
        return Slate("slate-1", places[: request.k], served_by, request.return_properties, has_next=True)

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


class LastEvent:
    """Reads a user's last event as their one interest. Raises `error` if set."""

    def __init__(self, histories: MemoryHistories) -> None:
        self.histories = histories
        self.error: Exception | None = None

    async def describe(self, user_id: UserId) -> ReadableInterests:
        if self.error is not None:
            raise self.error
        events = [event for event, _ in self.histories.events.values() if event.user_id == user_id]
        if not events:
            raise UnknownUser(f"no event of {user_id!r}")
        last = events[-1]
        evidence = Evidence(last.event_id, last.item_id, "A film", last.at, 0.5)
        interest = Interest("space", ("space", "robots"), 1.0, "positive", 0.9, last.at, None, (evidence,))
        return ReadableInterests((interest,), [])


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


@dataclass
class FakeResources:
    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    histories: MemoryHistories = field(default_factory=MemoryHistories)
    properties: MemoryProperties = field(default_factory=MemoryProperties)
    health: FixedHealth = field(default_factory=FixedHealth)

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
        self.editor = LastSaid()

    def lease(self) -> AbstractContextManager["FakeResources"]:
        return nullcontext(self)

    @asynccontextmanager
    async def open(self, _settings: Settings) -> AsyncIterator["FakeResources"]:
        yield self


def _told(event: Event | Observation, received_at: datetime) -> Event | Observation:
    return replace(event, at=datetime.min.replace(tzinfo=UTC)) if event.at == received_at else event
