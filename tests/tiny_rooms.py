"""The rooms behind a recommendation, opened over the tiny bundle as `app.wiring` opens them, for tests of one room."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import torch

from app.batching import MicroBatcher
from app.bundle import open_bundle
from app.catalogue.live import LiveCatalogue
from app.catalogue.store import CatalogueStore
from app.crowd.crowd import Crowd
from app.domain import Context, Event, FloatArray, InterestVectors, SlateRequest, Source, UserId
from app.errors import CacheUnavailable, Overloaded
from app.history.feed import EventFeed
from app.history.store import HistoryStore
from app.interests.cache import InterestCache, MemoryInterestCache
from app.interests.editor import InterestEditor
from app.interests.edits import EditStore
from app.interests.encoder import HistoryEncoder, Reading
from app.interests.intent import IntentReader
from app.interests.never import NeverFilter
from app.interests.phrases import Phrasebook
from app.interests.profiles import Profiles
from app.interests.spoken import SpokenReader
from app.interests.steering import CatalogueScale
from app.interests.texts import TextVectors
from app.placements.live import LivePlacements
from app.placements.store import PlacementStore
from app.placements.surface import Surfaces
from app.retrieval.index import ItemIndex
from app.retrieval.retrieve import Retriever
from app.retrieval.sources.popular import PopularSource
from app.retrieval.sources.rows import RowSource
from app.scoring.scorer import Scorer
from app.storage.database import Database, open_database
from app.trained import INDEX, Trained, load_trained

MONDAY_MORNING = datetime(2024, 6, 3, 10, tzinfo=UTC)


@dataclass
class Rooms:
    """One process's rooms. Several may be opened over one database file, as several workers are."""

    trained: Trained
    version: str
    database: Database
    histories: HistoryStore
    catalogue: LiveCatalogue
    texts: TextVectors
    encoder: MicroBatcher[Reading, FloatArray]
    cache: InterestCache
    scorer: Scorer
    never: NeverFilter
    editor: InterestEditor

    def spoken(self, texts: Any = None, words_scale: float | None = None) -> SpokenReader:
        trained = replace(self.trained, words_scale=words_scale or self.trained.words_scale)
        scale = CatalogueScale(self.catalogue.index, self.scorer.shape)
        return SpokenReader(texts or self.texts, self.editor, scale, trained)

    def intents(self, profiles: Any = None, texts: Any = None, words_scale: float | None = None) -> IntentReader:
        return IntentReader(profiles or self.profiles(), self.spoken(texts, words_scale), self.scorer.dim)

    def phrasebook(self) -> Phrasebook:
        return Phrasebook(self.trained, self.texts.place_labels())

    def crowd(self, most_events: int = 1_000) -> Crowd:
        """Not started: nothing has been read."""
        half_life_days = self.trained.space.blend.half_life_days
        return Crowd(EventFeed(self.database), self.catalogue, most_events=most_events, half_life_days=half_life_days)

    def retriever(self, candidates: int) -> Retriever:
        """Interests, words and what is popular."""
        index = self.catalogue.index
        rows = [RowSource(name, index) for name in (Source.INTERESTS, Source.WORDS)]
        return Retriever(index, [*rows, PopularSource(index, self.scorer)], candidates=candidates)

    def surfaces(self) -> Surfaces:
        """Of no placement."""
        return Surfaces(LivePlacements(PlacementStore(self.database), lambda _placement: None))

    def profiles(self, *, cache: Any = None, encoder: Any = None, budget_s: float = 30.0) -> Profiles:
        return Profiles(
            self.histories,
            self.catalogue,
            cache or self.cache,
            encoder or self.encoder,
            history_events=self.trained.space.shape.max_events,
            encode_budget_s=budget_s,
        )


@asynccontextmanager
async def open_rooms(bundle_folder: Path, data_dir: Path) -> AsyncIterator[Rooms]:
    bundle = open_bundle(bundle_folder)
    trained = load_trained(bundle, torch.device("cpu"))
    async with AsyncExitStack() as stack:
        database = open_database(f"sqlite:///{data_dir / 'penchant.sqlite3'}")
        stack.push_async_callback(database.close)
        executor = stack.enter_context(ThreadPoolExecutor(1))
        texts = TextVectors(trained, executor)
        stack.push_async_callback(texts.close)
        encode = HistoryEncoder(trained.space, torch.device("cpu")).encode
        encoder = MicroBatcher[Reading, FloatArray]("user encoder", encode, executor, max_batch=16, max_queue=64)
        stack.push_async_callback(encoder.close)
        index = ItemIndex(faiss.read_index(str(bundle.path(INDEX))))
        catalogue = LiveCatalogue(CatalogueStore(database), trained, bundle.version, index, texts)
        await catalogue.seed()
        await catalogue.catch_up()
        never = NeverFilter(catalogue, texts, trained.space.shape)
        yield Rooms(
            trained=trained,
            version=bundle.version,
            database=database,
            histories=HistoryStore(database),
            catalogue=catalogue,
            texts=texts,
            encoder=encoder,
            cache=MemoryInterestCache(100, 60),
            scorer=Scorer(trained.space, trained.context),
            never=never,
            editor=InterestEditor(texts, EditStore(database), never, bundle.version),
        )


class FullEncoder:
    """An encoder whose queue has no place left; counts who asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self, _reading: Reading) -> FloatArray:
        self.asked += 1
        raise Overloaded("the queue is full")


class DeadCache:
    """A cache that has gone, `near` being what a nearer tier still holds."""

    def __init__(self, near: InterestVectors | None = None) -> None:
        self.near = near

    async def get(self, _user_id: UserId, _watermark: int | None = None) -> InterestVectors | None:
        raise CacheUnavailable("gone", self.near)

    async def put(self, _user_id: UserId, _vectors: InterestVectors) -> None:
        raise CacheUnavailable("gone")


def asking(user_id: str | None = None, history: Sequence[Event] = (), words: str = "", **more: Any) -> SlateRequest:
    """A request of Monday morning for five items."""
    return SlateRequest(
        context=more.pop("context", Context(MONDAY_MORNING)),
        k=more.pop("k", 5),
        user_id=None if user_id is None else UserId(user_id),
        history=tuple(history),
        words=words,
        **more,
    )
