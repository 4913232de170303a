"""Shadow traffic: a share of requests is answered a second time by a candidate, unseen, to compare before it answers.

Never in the way of an answer: the second one is computed after the first went out, one at a time, from a queue that
drops what it cannot hold.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Protocol

import structlog

from app import telemetry
from app.domain import ItemId, Slate, SlateRequest
from app.errors import Overloaded, PenchantError, StoreUnavailable
from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros

PURPOSE = "shadow"
WAITING = 64
FLUSH_EVERY_S = 1.0
MAX_PENDING = 1_000

log = structlog.get_logger(__name__)


class Answers(Protocol):
    """The main path of one bundle."""

    async def recommend(self, request: SlateRequest, first_position: int = 1) -> Slate: ...


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """share: of requests answered twice, 0 to 1. since: its start; comparisons made before do not count."""

    version: str
    share: float
    since: datetime


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """How a candidate's slates compare to those that were served.

    compared: requests. overlap: mean share of the served items that the candidate has too; overlap_se its standard
    error. correlation: mean Spearman's rho of the common items' order, None where no two slates had two in common.
    served_ms, shadow_ms: median and 95th percentile of the answers' times, the shadow's taken behind live traffic.
    """

    version: str
    share: float
    compared: int
    overlap: float | None
    overlap_se: float | None
    correlation: float | None
    served_ms: tuple[float, float] | None
    shadow_ms: tuple[float, float] | None


class ShadowStore:
    """Plans and comparisons in a `Database`. The newest plan holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, version: str, share: float) -> ShadowPlan:
        """On disk when it returns. What an earlier plan compared is forgotten."""
        now = datetime.now(UTC)
        await self._database.write(lambda connection: _plan(connection, version, share, to_micros(now)))
        return ShadowPlan(version, share, now)

    def current(self) -> ShadowPlan | None:
        rows = self._database.read("SELECT version, share, at FROM shadows ORDER BY seq DESC LIMIT 1")
        if not rows or not rows[0][1]:
            return None
        version, share, at = rows[0]
        return ShadowPlan(version, share, from_micros(at))

    async def keep(self, rows: Sequence[tuple[object, ...]]) -> None:
        await self._database.write(lambda connection: connection.executemany(_INSERT, rows) and None)

    async def report(self, version: str) -> ShadowReport:
        """Of the newest plan for the bundle; nothing compared where there was none."""
        current = self.current()
        share = current.share if current is not None and current.version == version else 0.0
        n, overlap, squares, correlation = (await self._database.read_aside(_MEANS, (version,)))[0]
        variance = max(0.0, squares - overlap**2) if n else 0.0
        return ShadowReport(
            version=version,
            share=share,
            compared=n,
            overlap=overlap,
            overlap_se=(variance / n) ** 0.5 if n else None,
            correlation=correlation,
            served_ms=await self._percentiles("served_ms", version, n),
            shadow_ms=await self._percentiles("shadow_ms", version, n),
        )

    async def _percentiles(self, column: str, version: str, n: int) -> tuple[float, float] | None:
        if not n:
            return None
        sql = f"SELECT {column} FROM shadow_answers WHERE version = ? ORDER BY {column} LIMIT 1 OFFSET ?"  # noqa: S608
        places = (int(0.5 * (n - 1)), int(0.95 * (n - 1)))
        (median,), (high,) = [(await self._database.read_aside(sql, (version, place)))[0] for place in places]
        return median, high


class Shadow:
    """One process's part. keep_bundles: asked to hold the candidate open. lease: its main path, by version."""

    def __init__(
        self,
        store: ShadowStore,
        keep_bundles: Callable[[frozenset[str]], Awaitable[None]],
        lease: Callable[[str], AbstractContextManager[Answers]],
    ) -> None:
        self._store = store
        self._keep_bundles = keep_bundles
        self._lease = lease
        self._plan: ShadowPlan | None = None
        self._waiting: asyncio.Queue[tuple[ShadowPlan, SlateRequest, Slate, float, int]] = asyncio.Queue(WAITING)
        self._pending: list[tuple[object, ...]] = []

    @property
    def waiting(self) -> int:
        """Requests that wait to be answered a second time."""
        return self._waiting.qsize()

    def offer(self, request: SlateRequest, slate: Slate, took_ms: float, first_position: int = 1) -> None:
        """Tell of an answer that went out; the share of them that the plan wants is compared, later.

        first_position: of the slate's first place, where pages came before it.
        """
        plan = self._plan
        if plan is None or slate.served_by.bundle == plan.version or _fraction(slate.slate_id) >= plan.share:
            return
        try:
            self._waiting.put_nowait((plan, request, slate, took_ms, first_position))
        except asyncio.QueueFull:
            telemetry.count_shadow("dropped")

    async def start(self, version: str, share: float) -> ShadowPlan:
        """Raises what a bundle that cannot be opened raises; the plan is then not made. share 0 ends it."""
        await self._keep_bundles(frozenset({version} if share else ()))
        plan = await self._store.plan(version, share)
        await self.catch_up()
        return plan

    async def report(self, version: str) -> ShadowReport:
        await self._flush()
        return await self._store.report(version)

    async def follow(self, poll_s: float, retry_s: float = 30.0) -> None:
        """Keep up with plans made in other processes, and compare, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._compare_all())
            tasks.create_task(self._flush_often())
            while True:
                try:
                    await self.catch_up()
                    await asyncio.sleep(poll_s)
                except Exception:
                    log.exception("shadow_not_followed")
                    await asyncio.sleep(retry_s)

    async def drained(self) -> None:
        """Return when nothing waits to be compared."""
        await self._waiting.join()

    async def catch_up(self) -> None:
        """Know the newest plan. Raises what a bundle that cannot be opened raises."""
        plan = self._store.current()
        await self._keep_bundles(frozenset() if plan is None else frozenset({plan.version}))
        self._plan = plan

    async def _compare_all(self) -> None:
        while True:
            asked = await self._waiting.get()
            try:
                await self._compare(*asked)
            except PenchantError as error:
                telemetry.count_shadow("failed")
                log.info("shadow_failed", bundle=asked[0].version, reason=str(error))
            except Exception:
                telemetry.count_shadow("failed")
                log.exception("shadow_crashed", bundle=asked[0].version)
            finally:
                self._waiting.task_done()

    async def _compare(
        self, plan: ShadowPlan, request: SlateRequest, slate: Slate, took_ms: float, first_position: int
    ) -> None:
        with self._lease(plan.version) as candidate:
            started = perf_counter()
            other = await candidate.recommend(replace(request, unseen=True), first_position)
            shadow_ms = (perf_counter() - started) * 1_000
        telemetry.count_shadow("compared")
        served, shown = _ids(slate), _ids(other)
        at = to_micros(datetime.now(UTC))
        row = (plan.version, overlap_of(served, shown), correlation_of(served, shown), took_ms, shadow_ms, at)
        if len(self._pending) < MAX_PENDING:
            self._pending.append(row)

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            try:
                await self._flush()
            except (Overloaded, StoreUnavailable) as error:
                log.warning("shadow_not_written", reason=str(error))

    async def _flush(self) -> None:
        rows, self._pending = self._pending, []
        if rows:
            await self._store.keep(rows)


def overlap_of(served: Sequence[ItemId], shown: Sequence[ItemId]) -> float:
    """Share of the served items that were shown too, 0 to 1; 1 where nothing was served."""
    return len(set(served) & set(shown)) / len(served) if served else 1.0


def correlation_of(served: Sequence[ItemId], shown: Sequence[ItemId]) -> float | None:
    """Spearman's rho of the order of the items common to both; None where they are fewer than two."""
    common = set(served) & set(shown)
    n = len(common)
    if n < 2:
        return None
    place = {item_id: rank for rank, item_id in enumerate(i for i in shown if i in common)}
    squares = sum((rank - place[item_id]) ** 2 for rank, item_id in enumerate(i for i in served if i in common))
    return 1 - 6 * squares / (n * (n * n - 1))


def _ids(slate: Slate) -> list[ItemId]:
    return [place.item.item_id for place in slate.items]


def _fraction(slate_id: str) -> float:
    return int(slate_id[:8], 16) / 2**32


def _plan(connection: sqlite3.Connection, version: str, share: float, at: int) -> None:
    connection.execute("INSERT INTO shadows (version, share, at) VALUES (?, ?, ?)", (version, share, at))
    if share:
        connection.execute("DELETE FROM shadow_answers WHERE version = ?", (version,))


_INSERT = """
    INSERT INTO shadow_answers (version, overlap, correlation, served_ms, shadow_ms, at) VALUES (?, ?, ?, ?, ?, ?)
"""
_MEANS = """
    SELECT count(*), avg(overlap), avg(overlap * overlap), avg(correlation) FROM shadow_answers WHERE version = ?
"""
