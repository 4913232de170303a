"""The composition root: settings to everything that serves. Nothing else constructs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import structlog
import torch

from app.batching import MicroBatcher
from app.bundle import Bundle, open_bundle
from app.catalogue.import_jobs import ImportJobs
from app.catalogue.importer import Importer
from app.catalogue.live import LiveCatalogue
from app.catalogue.property_schema import PropertySchema
from app.catalogue.store import CatalogueStore
from app.crowd.crowd import Crowd
from app.crowd.leaderboards import Leaderboards
from app.device import choose_device, keep_numpy_to_one_thread, share_threads, spend_threads
from app.domain import FloatArray, IntArray, Source
from app.errors import CacheUnavailable
from app.experiments.desk import ExperimentDesk
from app.experiments.experiment import Experiment
from app.experiments.recommender import TrialRecommender
from app.experiments.store import ExperimentStore
from app.experiments.trials import PURPOSE as TRIALS
from app.experiments.trials import Trials, bundles_of
from app.explanation.explainer import Explainer
from app.explanation.places import PlaceExplainer
from app.explanation.remedies import RemedyFinder
from app.explanation.situation import SituationReader
from app.explanation.space_map import Cartographer
from app.filtering.eligibility import Eligibility
from app.filtering.masks import FilterMasks
from app.golden import check_golden
from app.history.feed import EventFeed
from app.history.store import HistoryStore
from app.history.weights import use_event_types
from app.interests.cache import InterestCache, MemoryInterestCache, TieredInterestCache
from app.interests.editor import InterestEditor
from app.interests.edits import EditStore
from app.interests.encoder import HistoryEncoder, Reading
from app.interests.intent import IntentReader
from app.interests.never import NeverFilter
from app.interests.phrases import Phrasebook
from app.interests.profiles import Profiles
from app.interests.reader import InterestReader
from app.interests.redis_cache import RedisInterestCache
from app.interests.spoken import SpokenReader
from app.interests.states import KeptStates
from app.interests.steering import CatalogueScale
from app.interests.texts import TextVectors
from app.placements.check import PlacementCheck
from app.placements.composer import Composer
from app.placements.live import LivePlacements
from app.placements.store import PlacementStore
from app.placements.surface import Surfaces
from app.recommender import Recommender
from app.reranking.plugins import load_rules
from app.retrieval.index import ItemIndex
from app.retrieval.retrieve import Retriever
from app.retrieval.similar import SimilarityFinder
from app.retrieval.sources.base import CandidateSource
from app.retrieval.sources.cold import ColdSource
from app.retrieval.sources.covisited import CovisitedSource
from app.retrieval.sources.placed import PinnedSource, SponsoredSource
from app.retrieval.sources.plugins import SourceTools, load_sources
from app.retrieval.sources.popular import PopularSource
from app.retrieval.sources.rows import RowSource
from app.retrieval.sources.similar_users import SimilarUsersSource
from app.retrieval.sources.standings import FreshSource, TrendingSource
from app.retrieval.sources.steer import SteerSource
from app.rollout.decisions import DecisionStore
from app.rollout.rollout import Rollout
from app.rollout.shadow import PURPOSE as SHADOW
from app.rollout.shadow import Shadow, ShadowStore
from app.rollout.warming import warm_paths, warm_users
from app.scoring.scorer import Scorer
from app.serving import Servings
from app.settings import Settings
from app.slates.online_metrics import OnlineReader
from app.slates.store import SlateStore
from app.storage.database import Database, open_database
from app.storage.embedded_valkey import EMBEDDED_URL, EmbeddedValkey
from app.telemetry import CacheReporter, set_encoder_states, set_items_live, set_queue_waiting
from app.trained import INDEX, Trained, load_trained
from app.users.erasure import Erasure
from app.users.export import UserExporter
from app.users.merge import UserMerger

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
    """Everything a request may need. Those of one bundle: while it is exchanged for another, both are open.

    plain: the main path without experiments and shadow traffic around it.
    """

    version: str
    recommender: TrialRecommender
    plain: Recommender
    histories: HistoryStore
    catalogue: LiveCatalogue
    properties: PropertySchema
    profiles: Profiles
    places: PlaceExplainer
    editor: InterestEditor
    readers: InterestReader
    maps: Cartographer
    slates: SlateStore
    merger: UserMerger
    exporter: UserExporter
    erasure: Erasure
    crowd: Crowd
    placements: LivePlacements
    leaderboards: Leaderboards
    similarity: SimilarityFinder
    health: Health


@dataclass(frozen=True, slots=True)
class Process:
    """What is opened once a process and outlives every bundle.

    executor: the one encoder thread, with all the process's share: two batches at once would only slow each other.
    """

    settings: Settings
    device: torch.device
    executor: Executor
    database: Database
    histories: HistoryStore
    slates: SlateStore
    redis_url: str
    cache_kind: str


@dataclass(frozen=True, slots=True)
class Service:
    """What outlives every bundle and answers for all of them."""

    servings: Servings[Resources]
    rollout: Rollout[Resources]
    shadow: Shadow
    experiments: ExperimentDesk
    online: OnlineReader
    imports: Importer
    import_jobs: ImportJobs

    def lease(self) -> AbstractContextManager[Resources]:
        """The active bundle's resources, open until the request is over."""
        return self.servings.lease()


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Open in the order of need, close in reverse. Raises BundleError, SettingsError, StoreUnavailable."""
    async with AsyncExitStack() as stack:
        process = _open_process(settings, stack)
        await _follow(stack, process.slates.write_behind())
        await _follow(stack, process.slates.keep_pruned(settings.slate_days))
        servings = Servings[Resources](
            lambda folder: open_bundle_resources(
                process, folder, lambda plain: TrialRecommender(plain, trials, lease_plain, shadow, process.slates)
            )
        )
        stack.push_async_callback(servings.close)
        rollout = Rollout(
            servings,
            DecisionStore(process.database),
            settings.bundle_dir,
            check=lambda folder: load_bundle(folder, process.device),
            warm=partial(_warm, process),
        )

        @contextmanager
        def lease_plain(version: str) -> Iterator[Recommender]:
            with servings.lease(version) as resources:
                yield resources.plain

        store = ExperimentStore(process.database)
        trials = Trials(store, partial(rollout.keep, TRIALS), is_open=lambda version: version in servings.versions)
        shadow = Shadow(ShadowStore(process.database), partial(rollout.keep, SHADOW), lease_plain)

        await rollout.start()
        poll_s = settings.feed_poll_ms / 1_000
        await _follow(stack, rollout.follow(poll_s))
        await _follow(stack, trials.follow(poll_s))
        await _follow(stack, shadow.follow(poll_s))
        await _follow(stack, _report_queues(process, shadow))
        import_jobs = ImportJobs(process.database)
        imports = Importer(import_jobs, servings.lease)
        stack.push_async_callback(imports.close)
        log.info("ready", bundle=servings.active.version)
        yield Service(
            servings=servings,
            rollout=rollout,
            shadow=shadow,
            experiments=ExperimentDesk(
                store, trials, check=partial(_check_experiment, rollout, store, PlacementStore(process.database))
            ),
            online=OnlineReader(process.database, CatalogueStore(process.database)),
            imports=imports,
            import_jobs=import_jobs,
        )


async def _check_experiment(
    rollout: Rollout[Resources], store: ExperimentStore, placements: PlacementStore, experiment: Experiment
) -> None:
    """Raises UnknownPlacement, UnknownBundle and BundleUnfit: its bundles are opened before anybody is put into it.

    One that does not run may name what is gone.
    """
    if experiment.running:
        for name in experiment.placement_names:
            await placements.get(name)
    others = [one for one in store.all() if one.running and one.name != experiment.name]
    await rollout.keep(TRIALS, bundles_of([*others, experiment] if experiment.running else others))


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Those of the bundle that answers when it opens: for whoever exchanges none."""
    async with open_service(settings) as service:
        yield service.servings.active


def _open_process(settings: Settings, stack: AsyncExitStack) -> Process:
    use_event_types(settings.event_type_changes())
    threads = share_threads(settings, settings.workers)
    spend_threads(1)  # the event loop's own thread: searches of a few queries, and arithmetic on single requests
    keep_numpy_to_one_thread()
    database = open_database(settings.database_url)
    stack.push_async_callback(database.close)
    slates = SlateStore(database)
    stack.push_async_callback(slates.flush)
    redis_url, cache_kind = _find_redis(settings, stack)
    executor = ThreadPoolExecutor(1, "encoder", initializer=spend_threads, initargs=(threads,))
    stack.callback(executor.shutdown)
    return Process(
        settings=settings,
        device=choose_device(settings),
        executor=executor,
        database=database,
        histories=HistoryStore(database),
        slates=slates,
        redis_url=redis_url,
        cache_kind=cache_kind,
    )


@asynccontextmanager
async def open_bundle_resources(
    process: Process, folder: Path, around: Callable[[Recommender], TrialRecommender]
) -> AsyncIterator[Resources]:
    """Everything that depends on the bundle in `folder`, verified and caught up. Raises BundleError.

    around: puts experiments and shadow traffic around the bundle's main path.
    """
    settings = process.settings
    async with AsyncExitStack() as stack:
        bundle, trained, faiss_index = await asyncio.to_thread(load_bundle, folder, process.device)
        cache = _open_cache(process, bundle.version)
        stack.push_async_callback(cache.close)
        texts = TextVectors(trained, process.executor)
        stack.push_async_callback(texts.close)
        states = KeptStates(settings.encoder_states_mb * 2**20)
        encoder = MicroBatcher[Reading, FloatArray](
            "user encoder",
            HistoryEncoder(trained.space, process.device, states).encode,
            process.executor,
            max_batch=settings.encode_batch,
            max_queue=settings.encode_queue,
        )
        stack.push_async_callback(encoder.close)

        catalogue = LiveCatalogue(
            CatalogueStore(process.database), trained, bundle.version, ItemIndex(faiss_index), texts
        )
        await catalogue.seed()
        await catalogue.catch_up()

        history_events = min(settings.history_events, trained.space.shape.max_events)
        profiles = Profiles(
            process.histories,
            catalogue,
            cache,
            encoder,
            history_events=history_events,
            encode_budget_s=settings.encode_budget_ms / 1_000,
        )
        scorer = Scorer(trained.space, trained.context)
        phrasebook = Phrasebook(trained, texts.place_labels())
        never = NeverFilter(catalogue, texts, scorer.shape)
        editor = InterestEditor(texts, EditStore(process.database), never, bundle.version)
        scale = CatalogueScale(catalogue.index, scorer.shape)
        spoken = SpokenReader(texts, editor, scale, trained)
        masks = FilterMasks(catalogue)
        eligibility = Eligibility(process.histories, catalogue, masks, never)
        intents = IntentReader(profiles, spoken, scorer.dim)
        crowd = Crowd(
            EventFeed(process.database),
            catalogue,
            most_events=settings.crowd_events,
            half_life_days=trained.space.blend.half_life_days,
        )
        await crowd.start()
        retriever = _open_retriever(
            settings, SourceTools(catalogue, crowd, process.histories, scorer), masks, trained.n_events
        )
        check = PlacementCheck(retriever.source_names, catalogue)
        placements = LivePlacements(PlacementStore(process.database), check)
        await placements.catch_up()
        surfaces = Surfaces(placements)
        situations = SituationReader(
            process.histories,
            profiles,
            spoken,
            eligibility,
            masks,
            catalogue,
            scorer,
            surfaces,
            history_events=history_events,
        )
        places = PlaceExplainer(
            bundle.version,
            process.slates,
            situations,
            RemedyFinder(situations, catalogue, phrasebook, trained.context),
            never,
            catalogue,
            scorer,
            phrasebook,
            candidates=settings.candidates,
        )
        recommender = Recommender(
            bundle.version,
            surfaces,
            intents,
            eligibility,
            masks,
            retriever,
            catalogue,
            scorer,
            Composer(catalogue, masks, trained.space.shape, plugged_in=load_rules()),
            Explainer(profiles, catalogue, scorer, phrasebook),
            process.slates,
        )
        erasure = Erasure(process.database, cache, (cache.forget, process.slates.forget, crowd.forget, states.forget))
        await _follow(stack, catalogue.follow(settings.feed_poll_ms / 1_000))
        await _follow(stack, erasure.follow(settings.feed_poll_ms / 1_000))
        await _follow(stack, crowd.follow(settings.feed_poll_ms / 1_000))
        await _follow(stack, placements.follow(settings.feed_poll_ms / 1_000))
        await _follow(stack, _report(catalogue, CacheReporter(cache.counts), states))
        with contextlib.suppress(CacheUnavailable):
            await cache.ping()
        latest = await process.histories.recent_users(1)
        await warm_paths(recommender.recommend, catalogue, latest, history_events=history_events)
        log.info("bundle_opened", bundle=bundle.version, device=str(process.device), items=catalogue.index.n_alive)
        yield Resources(
            version=bundle.version,
            recommender=around(recommender),
            plain=recommender,
            histories=process.histories,
            catalogue=catalogue,
            properties=PropertySchema(process.database),
            profiles=profiles,
            places=places,
            editor=editor,
            readers=InterestReader(
                process.histories, profiles, catalogue, phrasebook, editor, history_events=history_events
            ),
            maps=Cartographer(bundle.version, trained, catalogue, intents, phrasebook),
            slates=process.slates,
            merger=UserMerger(process.database),
            exporter=UserExporter(process.database),
            erasure=erasure,
            crowd=crowd,
            leaderboards=Leaderboards(crowd, catalogue),
            similarity=SimilarityFinder(catalogue, crowd, scorer, intents, process.histories, never),
            placements=placements,
            health=Health(bundle.version, str(process.device), catalogue, cache, process.cache_kind),
        )


async def _warm(process: Process, candidate: Resources) -> int:
    users = await process.histories.recent_users(process.settings.warm_users)
    return await warm_users(candidate.profiles, users)


def _open_retriever(settings: Settings, tools: SourceTools, masks: FilterMasks, trained_events: IntArray) -> Retriever:
    """Our own candidate sources, then those that are plugged in."""
    index, crowd = tools.catalogue.index, tools.crowd
    own: list[CandidateSource] = [
        RowSource(Source.INTERESTS, index),
        RowSource(Source.WORDS, index),
        SteerSource(index, tools.scorer),
        PopularSource(index, tools.scorer),
        CovisitedSource(crowd),
        SimilarUsersSource(crowd),
        TrendingSource(crowd),
        FreshSource(crowd),
        ColdSource(tools.catalogue, crowd, trained_events),
        PinnedSource(tools.catalogue),
        SponsoredSource(tools.catalogue, masks),
    ]
    plugged = load_sources(tools, [source.name for source in own])
    plugins = tuple(source.name for source in plugged)
    return Retriever(index, [*own, *plugged], candidates=settings.candidates, plugins=plugins)


def load_bundle(folder: Path, device: torch.device) -> tuple[Bundle, Trained, Any]:
    """The bundle, what it holds, and its FAISS index: every byte verified, every golden query answered alike."""
    spend_threads(1)  # called on a thread beside one that serves
    bundle = open_bundle(folder)
    trained = load_trained(bundle, device)
    index = faiss.read_index(str(bundle.path(INDEX)))
    check_golden(bundle, trained, index)
    return bundle, trained, index


def _find_redis(settings: Settings, stack: AsyncExitStack) -> tuple[str, str]:
    """The address of Redis, and what it is in words."""
    if settings.redis_url == MEMORY_URL:
        return MEMORY_URL, "memory: this process only"
    if settings.redis_url != EMBEDDED_URL:
        return settings.redis_url, "redis"
    # A server started by hand; `penchant serve` starts the Valkey itself and passes its socket on.
    valkey = EmbeddedValkey(settings.data_dir / "valkey")
    url = valkey.start()
    stack.callback(valkey.stop)
    return url, "embedded valkey"


def _open_cache(process: Process, bundle: str) -> InterestCache:
    settings = process.settings
    memory = MemoryInterestCache(settings.interest_cache_size, settings.interest_ttl_s)
    if process.redis_url == MEMORY_URL:
        return memory
    ttl_s, timeout_ms = settings.interest_ttl_s, settings.redis_timeout_ms
    return TieredInterestCache(
        memory, RedisInterestCache.connect(process.redis_url, bundle, ttl_s=ttl_s, timeout_ms=timeout_ms)
    )


async def _follow(stack: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Run `work` in the background for as long as the stack is open."""
    task = asyncio.create_task(work)

    async def stop() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(stop)


async def _report_queues(process: Process, shadow: Shadow) -> None:
    while True:
        set_queue_waiting("sqlite writer", process.database.waiting)
        set_queue_waiting("slate log", process.slates.waiting)
        set_queue_waiting("shadow", shadow.waiting)
        await asyncio.sleep(REPORT_EVERY_S)


async def _report(catalogue: LiveCatalogue, cache: CacheReporter, states: KeptStates) -> None:
    while True:
        set_items_live(catalogue.index.n_alive)
        set_encoder_states(states.n_bytes)
        cache.report()
        await asyncio.sleep(REPORT_EVERY_S)
