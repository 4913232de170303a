import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.catalogue import importer as importer_module
from app.catalogue.import_jobs import MOST_ERRORS, SILENT, ImportJob, ImportJobs, ImportState
from app.catalogue.importer import BATCH, MOST_WAITING, Importer
from app.domain import Item, ItemId
from app.errors import InvalidRequest, Overloaded, UnknownImport
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio


class Shelf:
    """Takes items as the live catalogue does; `gate` holds it up, `busy` refuses so many times."""

    def __init__(self) -> None:
        self.items: dict[ItemId, Item] = {}
        self.batches: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = 0

    async def put_many(self, items: Sequence[Item]) -> int:
        await self.gate.wait()
        if self.busy:
            self.busy -= 1
            raise Overloaded("busy")
        created = sum(item.item_id not in self.items for item in items)
        self.items |= {item.item_id: item for item in items}
        self.batches.append(len(items))
        return created


@dataclass
class Serving:
    catalogue: Shelf


def parse(line: bytes) -> Item:
    item_id, _, title = line.decode().strip().partition(",")
    if not title:
        raise InvalidRequest("it has no title")
    return Item(ItemId(item_id), title)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def jobs(tmp_path: Path) -> AsyncIterator[ImportJobs]:
    database: Database = open_database(f"sqlite:///{tmp_path}/penchant.sqlite3")
    yield ImportJobs(database)
    await database.close()


@pytest.fixture
def importer(jobs: ImportJobs, shelf: Shelf) -> Importer:
    @contextmanager
    def lease() -> Iterator[Serving]:
        yield Serving(shelf)

    return Importer(jobs, lease)


async def over(jobs: ImportJobs, job: ImportJob, holds: Callable[[ImportJob], bool] | None = None) -> ImportJob:
    holds = holds or (lambda now: now.state is not ImportState.RUNNING)
    async with asyncio.timeout(10):
        while not holds(now := await jobs.get(job.job_id)):  # noqa: ASYNC110 - as a client watches it
            await asyncio.sleep(0.001)
    return now


async def test_every_line_is_created_replaced_or_failed_and_the_failed_are_told(
    importer: Importer, jobs: ImportJobs, shelf: Shelf
) -> None:
    shelf.items[ItemId("a")] = Item(ItemId("a"), "old")
    lines = io.BytesIO(b"a,new\n\nb,first\nc\nb,second\n")

    job = await over(jobs, await importer.start(lines, 4, parse))

    assert job.state is ImportState.DONE
    assert (job.n_lines, job.n_done, job.n_created, job.n_replaced, job.n_failed) == (4, 4, 1, 2, 1)
    assert [(error.line, error.message) for error in job.errors] == [(4, "it has no title")]
    assert {item.item_id: item.title for item in shelf.items.values()} == {"a": "new", "b": "second"}
    assert lines.closed
    assert job.finished_at is not None


async def test_lines_come_in_batches_and_errors_are_told_up_to_a_bound(
    importer: Importer, jobs: ImportJobs, shelf: Shelf
) -> None:
    good = b"".join(b"i%d,title\n" % n for n in range(2 * BATCH + 1))
    bad = b"no title\n" * (MOST_ERRORS + 20)

    job = await over(jobs, await importer.start(io.BytesIO(good + bad), 2 * BATCH + 121, parse))

    assert shelf.batches[:2] == [BATCH, BATCH]
    assert (job.n_created, job.n_failed, len(job.errors)) == (2 * BATCH + 1, MOST_ERRORS + 20, MOST_ERRORS)


async def test_a_busy_server_is_asked_again(
    importer: Importer, jobs: ImportJobs, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer_module, "RETRY_S", 0)
    shelf.busy = 3

    job = await over(jobs, await importer.start(io.BytesIO(b"a,x\n"), 1, parse))

    assert (job.state, job.n_created) == (ImportState.DONE, 1)


async def test_imports_wait_for_one_another_and_too_many_are_refused(
    importer: Importer, jobs: ImportJobs, shelf: Shelf
) -> None:
    shelf.gate.clear()
    started = [await importer.start(io.BytesIO(b"a,%d\n" % n), 1, parse) for n in range(MOST_WAITING + 1)]
    with pytest.raises(Overloaded):
        await importer.start(io.BytesIO(b"a,x\n"), 1, parse)
    shelf.gate.set()
    assert {(await over(jobs, job)).state for job in started} == {ImportState.DONE}
    assert shelf.items[ItemId("a")].title == str(MOST_WAITING)


async def test_a_server_that_stops_leaves_an_interrupted_import(
    importer: Importer, jobs: ImportJobs, shelf: Shelf
) -> None:
    shelf.gate.clear()
    job = await importer.start(io.BytesIO(b"a,x\n"), 1, parse)
    await asyncio.sleep(0)
    await importer.close()
    assert (await jobs.get(job.job_id)).state is ImportState.INTERRUPTED


async def test_an_import_whose_process_died_is_interrupted_once_it_has_been_silent(jobs: ImportJobs) -> None:
    told = datetime(2026, 6, 1, tzinfo=UTC)
    job = replace(ImportJob("j", 9, told), told_at=told)
    await jobs.keep(job)
    assert (await jobs.get("j", now=told + SILENT)).state is ImportState.RUNNING
    assert (await jobs.get("j", now=told + SILENT + timedelta(seconds=1))).state is ImportState.INTERRUPTED
    with pytest.raises(UnknownImport):
        await jobs.get("other")
