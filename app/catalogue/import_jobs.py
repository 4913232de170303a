"""Imports as they stand, durable, so that any process can say how far one has come."""

import json
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from app.errors import UnknownImport
from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros

MOST_ERRORS = 100
"""Lines whose fault is told; the count goes on."""
SILENT = timedelta(seconds=60)
"""After so long without a sign its process has ended."""


class ImportState(StrEnum):
    """running: see how far. done: every line was read. interrupted: the server stopped; send the file again."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class LineError:
    """line: from 1."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class ImportJob:
    """n_lines: of the file, blank ones left out. n_done: lines read so far; each created, replaced or failed."""

    job_id: str
    n_lines: int
    started_at: datetime
    state: ImportState = ImportState.RUNNING
    n_done: int = 0
    n_created: int = 0
    n_replaced: int = 0
    n_failed: int = 0
    errors: tuple[LineError, ...] = ()
    finished_at: datetime | None = None
    told_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class ImportJobs:
    """Jobs in a `Database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, job: ImportJob) -> None:
        errors = json.dumps([[error.line, error.message] for error in job.errors], ensure_ascii=False)
        finished_at = None if job.finished_at is None else to_micros(job.finished_at)
        row = (
            *(job.job_id, job.state, job.n_lines, job.n_done, job.n_created, job.n_replaced, job.n_failed, errors),
            *(to_micros(job.started_at), finished_at, to_micros(job.told_at)),
        )
        await self._database.write(lambda connection: _put(connection, row))

    async def get(self, job_id: str, now: datetime | None = None) -> ImportJob:
        """A job that has been silent for `SILENT` is interrupted. Raises UnknownImport."""
        rows = self._database.read("SELECT * FROM import_jobs WHERE job_id = ?", (job_id,))
        if not rows:
            raise UnknownImport(f"there is no import {job_id!r}: use the job_id that POST /v1/items/import answered")
        _, state, n_lines, n_done, n_created, n_replaced, n_failed, errors, started_at, finished_at, told_at = rows[0]
        job = ImportJob(
            job_id=job_id,
            n_lines=n_lines,
            started_at=from_micros(started_at),
            state=ImportState(state),
            n_done=n_done,
            n_created=n_created,
            n_replaced=n_replaced,
            n_failed=n_failed,
            errors=tuple(LineError(*error) for error in json.loads(errors)),
            finished_at=None if finished_at is None else from_micros(finished_at),
            told_at=from_micros(told_at),
        )
        silent = (now or datetime.now(UTC)) - job.told_at > SILENT
        return replace(job, state=ImportState.INTERRUPTED) if silent and job.state is ImportState.RUNNING else job


def _put(connection: sqlite3.Connection, row: tuple[object, ...]) -> None:
    connection.execute("INSERT OR REPLACE INTO import_jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
