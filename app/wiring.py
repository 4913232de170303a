"""The composition root: settings to everything that serves. Nothing else constructs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import faiss
import numpy as np
import structlog

from app.batching import MicroBatcher
from app.bundle import Bundle, open_bundle
from app.catalogue.live import LiveCatalogue
from app.catalogue.store import CatalogueStore
from app.device import choose_device, share_threads, spend_threads
from app.domain import FloatArray
from app.explanation.explainer import Explainer
from app.filtering.eligibility import Eligibility
from app.golden import check_golden
from app.history.store import HistoryStore
from app.interests.cache import CacheUnavailable, InterestCache, MemoryInterestCache, TieredInterestCache
from app.interests.encoder import HistoryEncoder, Reading
from app.interests.intent import IntentReader
from app.interests.phrases import InterestReader, Phrasebook
from app.interests.profiles import Profiles
from app.interests.redis_cache import RedisInterestCache
from app.interests.texts import TextVectors
from app.recommender import Recommender
from app.retrieval.index import ItemIndex
from app.scoring.scorer import Scorer
from app.settings import Settings
from app.slates.store import SlateStore
from app.storage.database import open_database
from app.storage.embedded_valkey import EMBEDDED_URL, EmbeddedValkey
from app.telemetry import CacheReporter, set_build_info, set_items_live
from app.trained import INDEX, Trained, load_trained

MEMORY_URL = "memory://"
REPORT_EVERY_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Health:
    """What readiness depends on. Redis is looked at but not asked for: the ladder serves without it."""

    bundle: str
    device: str
    catalogue: LiveCatalogue
    cache: InterestCache
    cache_kind: str

    async def ready(self) -> Mapping[str, str]:
        await self.catalogue.catch_up()  # reads the durable store: raises StoreUnavailable where it is gone
        return {
            "bundle": self.bundle,
            "device": self.device,
            "items": str(self.catalogue.index.n_alive),
            "interest_cache": await self._cache_state(),
        }

    async def _cache_state(self) -> str:
        try:
            await self.cache.ping()
        except CacheUnavailable:
            return f"{self.cache_kind}: unavailable"
        return self.cache_kind


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything a request may need, opened once a process."""

    recommender: Recommender
    histories: HistoryStore
    catalogue: LiveCatalogue
    readers: InterestReader
    slates: SlateStore
    health: Health


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open in the order of need, close in reverse. Raises BundleError, SettingsError, StoreUnavailable."""
    async with AsyncExitStack() as stack:
        threads = share_threads(settings, settings.workers)
        spend_threads(1)  # the event loop's own thread: searches of a few queries, and arithmetic on single requests
        bundle, trained, faiss_index = load_bundle(settings)
        device = choose_device(settings)

        database = open_database(settings.database_url)
        stack.push_async_callback(database.close)
        histories = HistoryStore(database)
        slates = SlateStore(database)
        stack.push_async_callback(slates.flush)
        cache, cache_kind = _open_cache(settings, bundle.version, stack)
        stack.push_async_callback(cache.close)

        # One encoder thread, with all the share: two batches at once would only slow each other.
        executor = ThreadPoolExecutor(1, "encoder", initializer=spend_threads, initargs=(threads,))
        stack.callback(executor.shutdown)
        texts = TextVectors(trained, executor)
        stack.push_async_callback(texts.close)
        encoder = MicroBatcher[Reading, FloatArray](
            "user encoder",
            HistoryEncoder(trained.space, device).encode,
            executor,
            max_batch=settings.encode_batch,
            max_queue=settings.encode_queue,
        )
        stack.push_async_callback(encoder.close)

        catalogue = LiveCatalogue(CatalogueStore(database), trained, bundle.version, ItemIndex(faiss_index), texts)
        await catalogue.seed()
        await catalogue.catch_up()

        history_events = min(settings.history_events, trained.space.shape.max_events)
        profiles = Profiles(
            histories,
            catalogue,
            cache,
            encoder,
            history_events=history_events,
            encode_budget_s=settings.encode_budget_ms / 1_000,
        )
        scorer = Scorer(trained.space, trained.context)
        phrasebook = Phrasebook(trained, _phrase_vectors(texts, trained.phrase_text, scorer.dim))
        recommender = Recommender(
            bundle.version,
            IntentReader(profiles, texts, scorer.dim, trained.words_scale),
            Eligibility(histories, catalogue),
            catalogue,
            scorer,
            Explainer(profiles, catalogue, scorer, phrasebook),
            candidates=settings.candidates,
        )
        await _follow(stack, catalogue.follow(settings.feed_poll_ms / 1_000))
        await _follow(stack, slates.write_behind())
        await _follow(stack, slates.keep_pruned(settings.slate_days))
        await _follow(stack, _report(catalogue, CacheReporter(cache.counts)))
        set_build_info(bundle.version, version("penchant"))
        log.info("ready", bundle=bundle.version, device=str(device), threads=threads, items=catalogue.index.n_alive)
        yield Resources(
            recommender=recommender,
            histories=histories,
            catalogue=catalogue,
            readers=InterestReader(histories, profiles, catalogue, phrasebook, history_events=history_events),
            slates=slates,
            health=Health(bundle.version, str(device), catalogue, cache, cache_kind),
        )


def load_bundle(settings: Settings) -> tuple[Bundle, Trained, Any]:
    """The bundle, what it holds, and its FAISS index: every byte verified, every golden query answered alike."""
    bundle = open_bundle(settings.bundle_dir)
    trained = load_trained(bundle, choose_device(settings))
    index = faiss.read_index(str(bundle.path(INDEX)))
    check_golden(bundle, trained, index)
    return bundle, trained, index


def _open_cache(settings: Settings, bundle: str, stack: AsyncExitStack) -> tuple[InterestCache, str]:
    """The cache behind `redis_url`, and what it is in words."""
    memory = MemoryInterestCache(settings.interest_cache_size, settings.interest_ttl_s)
    if settings.redis_url == MEMORY_URL:
        return memory, "memory: this process only"
    url, kind = settings.redis_url, "redis"
    if (
        url == EMBEDDED_URL
    ):  # a server started by hand; `penchant serve` starts the Valkey itself and passes its socket on
        valkey = EmbeddedValkey(settings.data_dir / "valkey")
        url, kind = valkey.start(), "embedded valkey"
        stack.callback(valkey.stop)
    far = RedisInterestCache.connect(url, bundle, ttl_s=settings.interest_ttl_s, timeout_ms=settings.redis_timeout_ms)
    return TieredInterestCache(memory, far), kind


def _phrase_vectors(texts: TextVectors, phrase_text: FloatArray, dim: int) -> FloatArray:
    return texts.place(phrase_text) if len(phrase_text) else np.empty((0, dim), dtype=np.float32)


async def _follow(stack: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Run `work` in the background for as long as the stack is open."""
    task = asyncio.create_task(work)

    async def stop() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(stop)


async def _report(catalogue: LiveCatalogue, cache: CacheReporter) -> None:
    while True:
        set_items_live(catalogue.index.n_alive)
        cache.report()
        await asyncio.sleep(REPORT_EVERY_S)
