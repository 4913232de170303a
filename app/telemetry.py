"""What the service counts and times, as Prometheus metrics. Every metric's name is in this file.

No label holds an id or a path. Metrics belong to the process: they are made at their first use, so importing this
opens nothing and several apps in one process share them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from app.domain import ServedBy

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which worker processes add up their metrics. prometheus-client reads it when imported."""

# What each label may say: a type checker refuses any other, and docs/guide/metrics.md lists them.
StageName = Literal["intent", "eligible", "retrieval", "scoring", "reranking", "explanation"]
QueueName = Literal["user encoder", "item encoder", "words encoder", "sqlite writer", "slate log", "shadow"]
CacheName = Literal["phrases", "filter masks", "leaderboards"]
CacheOutcome = Literal["hits", "misses"]
ReadingHow = Literal["stepped", "alone", "together"]
RefusalReason = Literal["in_flight", "rate_limit"]
ShadowOutcome = Literal["compared", "dropped", "failed"]
SlateLogOutcome = Literal["kept", "dropped"]

BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class StageTimer:
    """Times the stages of one request: into `took_ms`, by name of the stage, and into penchant_stage_seconds."""

    def __init__(self) -> None:
        self.took_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: StageName) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            took_s = perf_counter() - started
            self.took_ms[name] = took_s * 1_000
            _metrics().stage_seconds.labels(name).observe(took_s)


@contextmanager
def time_source(source: str) -> Iterator[None]:
    """Into penchant_source_seconds: how long a source took to propose, or to fail."""
    started = perf_counter()
    try:
        yield
    finally:
        _metrics().source_seconds.labels(source).observe(perf_counter() - started)


def count_candidates(source: str, n_candidates: int) -> None:
    _metrics().candidates.labels(source).inc(n_candidates)


@dataclass(slots=True)
class CacheReporter:
    """Carries a cache's own counts into penchant_interest_cache_total; `report` adds what grew since the last time.

    counts: by name of the tier, dataclasses of integers whose field names are the outcomes.
    """

    counts: Mapping[str, "DataclassInstance"]
    _told: dict[tuple[str, str], int] = field(default_factory=dict)

    def report(self) -> None:
        for tier, outcomes in self.counts.items():
            for outcome, total in asdict(outcomes).items():
                grown = total - self._told.get((tier, outcome), 0)
                _metrics().interest_cache.labels(tier, outcome).inc(grown)
                self._told[tier, outcome] = total


def count_look_up(cache: CacheName, *, hit: bool) -> None:
    """Of a cache within the process. hit: whether it held what was looked for."""
    outcome: CacheOutcome = "hits" if hit else "misses"
    _metrics().cache.labels(cache, outcome).inc()


def count_request(route: str, method: str, status: int, took_s: float) -> None:
    """route: the template ("/v1/items/{item_id}"), never the path itself."""
    _metrics().requests.labels(route, method, status).inc()
    _metrics().request_seconds.labels(route).observe(took_s)


def count_slate(served_by: ServedBy) -> None:
    _metrics().slates.labels(served_by.rung).inc()
    for reason in served_by.degraded:
        _metrics().degraded.labels(reason).inc()


def count_shadow(outcome: ShadowOutcome) -> None:
    """outcome: dropped where the queue was full."""
    _metrics().shadow.labels(outcome).inc()


def count_refusal(reason: RefusalReason) -> None:
    _metrics().refusals.labels(reason).inc()


def count_events_stored(n_events: int) -> None:
    _metrics().events_stored.inc(n_events)


def count_slate_kept(*, kept: bool) -> None:
    """kept: False where the log of slates had no place left and the slate was forgotten."""
    outcome: SlateLogOutcome = "kept" if kept else "dropped"
    _metrics().slate_log.labels(outcome).inc()


def set_queue_waiting(queue: QueueName, n_waiting: int) -> None:
    """queue: the name of what is waited for."""
    _metrics().queue_waiting.labels(queue).set(n_waiting)


def count_batch(queue: QueueName, n_together: int) -> None:
    """n_together: how many that waited in `queue` were worked on at once."""
    _metrics().batch_size.labels(queue).observe(n_together)


def count_reading(how: ReadingHow, n: int = 1) -> None:
    """how: a history was stepped on from a kept state, read alone, or read together with others."""
    _metrics().histories_read.labels(how).inc(n)


def set_encoder_states(n_bytes: int) -> None:
    _metrics().encoder_states_bytes.set(n_bytes)


def set_items_live(n_items: int) -> None:
    _metrics().items_live.set(n_items)


def set_build_info(bundle: str, version: str, *, active: bool = True) -> None:
    """bundle: version of a bundle; active: whether it is the one that answers. version: of the program."""
    _metrics().build_info.labels(bundle, version).set(int(active))


def render_metrics() -> bytes:
    """All metrics in Prometheus' text format: of all worker processes where they share a folder, else of this one."""
    registry = _metrics().registry
    if MULTIPROCESS_DIR in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def share_metrics(folder: Path) -> None:
    """Let worker processes started after this add up their metrics in `folder`; what it held before is cleared.

    For the process that starts the workers and counts nothing itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob("*.db"):
        left_over.unlink()
    os.environ[MULTIPROCESS_DIR] = str(folder)


@dataclass(frozen=True, slots=True)
class _Metrics:
    registry: CollectorRegistry
    requests: Counter
    request_seconds: Histogram
    stage_seconds: Histogram
    source_seconds: Histogram
    candidates: Counter
    slates: Counter
    degraded: Counter
    interest_cache: Counter
    cache: Counter
    refusals: Counter
    shadow: Counter
    events_stored: Counter
    slate_log: Counter
    queue_waiting: Gauge
    batch_size: Histogram
    histories_read: Counter
    encoder_states_bytes: Gauge
    items_live: Gauge
    build_info: Gauge


@cache
def _metrics() -> _Metrics:
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series of each counter, for OpenMetrics only
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)

    def counter(name: str, about: str, *labels: str) -> Counter:
        return Counter(f"penchant_{name}", about, labels, registry=registry)

    def seconds(name: str, about: str, label: str) -> Histogram:
        return Histogram(f"penchant_{name}", about, [label], registry=registry, buckets=BUCKETS_S)

    def gauge(name: str, about: str, *labels: str) -> Gauge:
        # Workers serve the same items and bundle, so theirs are not summed: the newest value is the true one.
        return Gauge(f"penchant_{name}", about, labels, registry=registry, multiprocess_mode="mostrecent")

    queue_waiting = Gauge(  # each worker has queues of its own: theirs are summed, those of workers that died are not
        "penchant_queue_waiting", "What waits its turn.", ["queue"], registry=registry, multiprocess_mode="livesum"
    )
    encoder_states_bytes = Gauge(
        "penchant_encoder_states_bytes",
        "Memory of the encoder states kept.",
        registry=registry,
        multiprocess_mode="livesum",
    )
    batch_size = Histogram(
        "penchant_batch_size", "How many were worked on at once.", ["queue"], registry=registry, buckets=BATCH_BUCKETS
    )

    return _Metrics(
        registry=registry,
        requests=counter("requests_total", "HTTP requests answered.", "route", "method", "status"),
        request_seconds=seconds("request_seconds", "Time from a request's head to the end of its answer.", "route"),
        stage_seconds=seconds("stage_seconds", "Time of one stage of a slate.", "stage"),
        source_seconds=seconds("source_seconds", "Time in which one source proposed.", "source"),
        candidates=counter("candidates_total", "Candidates proposed, by each source.", "source"),
        slates=counter("slates_total", "Slates answered, by rung of the ladder.", "rung"),
        degraded=counter("degraded_total", "Slates that something was missing for, by what.", "reason"),
        interest_cache=counter("interest_cache_total", "Look-ups of interest vectors.", "tier", "outcome"),
        cache=counter("cache_total", "Look-ups in the caches within each process.", "cache", "outcome"),
        shadow=counter("shadow_total", "Requests answered a second time by a candidate, unseen.", "outcome"),
        refusals=counter("refusals_total", "Requests refused early, by why.", "reason"),
        events_stored=counter("events_stored_total", "Events stored, retries not counted."),
        slate_log=counter("slate_log_total", "Slates kept in the durable log, or dropped: it was full.", "outcome"),
        queue_waiting=queue_waiting,
        batch_size=batch_size,
        histories_read=counter("histories_read_total", "Histories read by the user encoder, by how.", "how"),
        encoder_states_bytes=encoder_states_bytes,
        items_live=gauge("items_live", "Items that may be in a slate."),
        build_info=gauge("build_info", "1 for what runs; 0 for a bundle that ran before.", "bundle", "version"),
    )
