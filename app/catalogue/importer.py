"""Many items at a time, while slates are served: a file of lines, read and encoded a little at a time.

The encoder's one thread serves requests too. So texts go to it in pieces of some 30 ms (`TextVectors.encode_slowly`): a
request waits for one of them at most. A batch is one write; every process takes it from the change feed.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from time import monotonic
from typing import BinaryIO, Protocol

import structlog

from app.catalogue.import_jobs import MOST_ERRORS, ImportJob, ImportJobs, ImportState, LineError
from app.domain import Item
from app.errors import Overloaded, PenchantError

BATCH = 64
TELL_EVERY_S = 0.5
MOST_WAITING = 4
RETRY_S = 1.0

log = structlog.get_logger()

Parse = Callable[[bytes], Item]
"""A line to an item. Raises PenchantError, whose text says what is wrong with the line."""


class Catalogue(Protocol):
    async def put_many(self, items: Sequence[Item]) -> int:
        """How many of them were new. Raises Overloaded, StoreUnavailable: nothing of the batch is stored then."""
        ...


class Serving(Protocol):
    @property
    def catalogue(self) -> Catalogue: ...


Lease = Callable[[], AbstractContextManager[Serving]]


class Importer:
    """Runs imports one after the other. Belongs to the event loop's thread.

    lease: what serves at the moment, asked for anew with every batch, since a bundle may be exchanged meanwhile.
    """

    def __init__(self, jobs: ImportJobs, lease: Lease) -> None:
        self._jobs = jobs
        self._lease = lease
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, lines: BinaryIO, n_lines: int, parse: Parse) -> ImportJob:
        """Import in the background; `lines` is closed when it is over. Raises Overloaded when too many wait."""
        if len(self._tasks) > MOST_WAITING:
            raise Overloaded(f"{len(self._tasks)} imports run or wait: try again when one is done")
        job = ImportJob(secrets.token_hex(8), n_lines, datetime.now(UTC))
        await self._jobs.keep(job)
        task = asyncio.create_task(self._run(job, lines, parse), name=f"import {job.job_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def close(self) -> None:
        """Stop what runs; its jobs say that they were interrupted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, job: ImportJob, lines: BinaryIO, parse: Parse) -> None:
        state = ImportState.INTERRUPTED
        try:
            async with self._one_at_a_time:
                numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
                while batch := await asyncio.to_thread(lambda: list(islice(numbered, BATCH))):
                    job = await self._import(job, batch, parse)
            state = ImportState.DONE
        except Exception:
            log.exception("import_failed", job_id=job.job_id)
        finally:
            lines.close()
            with contextlib.suppress(PenchantError):
                now = datetime.now(UTC)
                await self._jobs.keep(replace(job, state=state, finished_at=now, told_at=now))
        log.info("import_over", job_id=job.job_id, state=state, created=job.n_created, failed=job.n_failed)

    async def _import(self, job: ImportJob, batch: Sequence[tuple[int, bytes]], parse: Parse) -> ImportJob:
        items, errors = await asyncio.to_thread(_parse_all, batch, parse)
        with self._lease() as serving:
            n_created = await _put(serving.catalogue, items)
        job = replace(
            job,
            n_done=job.n_done + len(batch),
            n_created=job.n_created + n_created,
            n_replaced=job.n_replaced + len(batch) - len(errors) - n_created,
            n_failed=job.n_failed + len(errors),
            errors=(job.errors + errors)[:MOST_ERRORS],
        )
        if (now := datetime.now(UTC)).timestamp() - job.told_at.timestamp() > TELL_EVERY_S:
            job = replace(job, told_at=now)
            await self._jobs.keep(job)
        return job


async def _put(catalogue: Catalogue, items: Sequence[Item]) -> int:
    """A server that is busy is asked again: the import can wait, and nobody waits for it."""
    started = monotonic()
    while items:
        try:
            return await catalogue.put_many(items)
        except Overloaded:
            if monotonic() - started > 60:
                raise
            await asyncio.sleep(RETRY_S)
    return 0


def _parse_all(batch: Sequence[tuple[int, bytes]], parse: Parse) -> tuple[list[Item], tuple[LineError, ...]]:
    """Of lines with the same id the last one counts."""
    items, errors = {}, []
    for number, line in batch:
        try:
            item = parse(line)
        except PenchantError as error:
            errors.append(LineError(number, str(error)))
        else:
            items[item.item_id] = item
    return list(items.values()), tuple(errors)
