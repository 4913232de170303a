"""The SQLite database of one process: one connection that writes, on its own thread, and one that reads.

Reads run where they are called, on the event loop. With 100,000 events kept, a watermark takes 7 us and a user's last
50 events 170 us; a hop to another thread and back costs 45 us on an idle machine and a turn in the queue on a busy one.
Several processes may open the same file; SQLite lets one of them write at a time.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from app.errors import SettingsError, StoreUnavailable
from app.storage.group_commit import GroupCommitWriter
from app.storage.schema import MIGRATIONS
from app.storage.sqlite_errors import explain_sqlite_errors

T = TypeVar("T")

SCHEME = "sqlite:///"
BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for another process. Theirs hold the lock for milliseconds: 5 s means that one is stuck."""
SET_UP_TIMEOUT_S = 60.0
"""How long one who opens the file waits for another who does. Migrations of a large file may take that long."""


def open_database(url: str, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> "Database":
    """Open the file, create it where there is none, and bring its tables up to date.

    url: sqlite:///relative/path or sqlite:////absolute/path. Raises SettingsError for another form of URL and
    StoreUnavailable when the file cannot be used.
    """
    path = database_path(url)
    _make_folder(path.parent)
    with _one_at_a_time(path), ExitStack() as on_failure, explain_sqlite_errors(path):
        # Made here, so that a bad file stops the start, and used on the writer's thread only from then on.
        writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S)
        on_failure.callback(writer.close)
        _set_up(writer)
        _migrate(writer, migrations, path)
        reader = _open_reader(path)
        on_failure.pop_all()
    return Database(path, writer, reader)


class Database:
    """What the stores of all rooms share. Safe to use from several threads and event loops."""

    def __init__(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.path = path
        self._writer = GroupCommitWriter(writer, path)
        self._reader = reader

    @property
    def waiting(self) -> int:
        """Writes that wait for the disk."""
        return self._writer.waiting

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` on the writer's thread; return what it returned once that is on disk.

        All of `change` is stored or nothing. What it raises is raised here. Raises Overloaded when too many writes
        wait, StoreUnavailable when SQLite cannot write. A caller that stops waiting may or may not have been stored.
        """
        return await asyncio.wrap_future(self._writer.submit(change))

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """All rows of one SELECT, as tuples: one consistent state, every acknowledged write in it.

        All at once, since a half-read statement would hold its old state, and with it the write-ahead log.
        """
        with explain_sqlite_errors(self.path):
            return self._reader.execute(sql, parameters).fetchall()

    async def read_aside(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """As `read`, for a SELECT that takes long: on a connection and a thread of its own, nobody waits for it."""
        return await asyncio.to_thread(self._read_aside, sql, parameters)

    def _read_aside(self, sql: str, parameters: Sequence[object]) -> list[Any]:
        with look_into(self.path) as reader:
            return reader.execute(sql, parameters).fetchall()

    async def close(self) -> None:
        """Finish the writes that wait, then close the file. Later writes raise StoreUnavailable."""
        await asyncio.to_thread(self._writer.close)
        self._reader.close()


@contextlib.contextmanager
def look_into(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of one's own that only reads, beside a server too. Raises StoreUnavailable."""
    with explain_sqlite_errors(path), contextlib.closing(_open_reader(path)) as reader:
        yield reader


def _open_reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)


def database_path(url: str) -> Path:
    """The file behind sqlite:///... Raises SettingsError for another form of URL."""
    if not url.startswith(SCHEME) or len(url) == len(SCHEME):
        raise SettingsError(f"database_url is {url!r}: expected {SCHEME}relative/path or {SCHEME}/absolute/path")
    return Path(url.removeprefix(SCHEME)).absolute()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"cannot make the folder {folder} ({error.strerror}): make it, or point PENCHANT_DATA_DIR at another"
        ) from error


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Of those who open the file, in all processes: SQLite's own timeout does not cover the change to a write-ahead
    log. Of 600 first openings, four at a time, 4 found the database locked without this.
    """
    lock = FileLock(f"{path}.lock", timeout=SET_UP_TIMEOUT_S)
    try:
        lock.acquire()
    except OSError as error:  # a timeout too
        raise StoreUnavailable(
            f"cannot take {lock.lock_file} ({error.strerror or f'held for {SET_UP_TIMEOUT_S:g} s'}): give this user "
            "the right to write there, or see which process has it open"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _set_up(writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA synchronous = FULL")  # sync the log at every commit: NORMAL may lose the last ones


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]], path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")  # processes that start together queue here; the first one does the work
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise StoreUnavailable(
            f"{path} has schema version {version}, this program knows {len(migrations)}: "
            "run the newer Penchant, or point PENCHANT_DATABASE_URL at another file"
        )
    for statement in (statement for migration in migrations[version:] for statement in migration):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")
