import asyncio
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from app.errors import SettingsError, StoreUnavailable
from app.storage import database as database_module
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

WORDS = (("CREATE TABLE words (word TEXT NOT NULL UNIQUE) STRICT",),)
REPOSITORY = Path(__file__).parents[3]


def adding(word: str) -> Callable[[sqlite3.Connection], str]:
    def add(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO words VALUES (?)", (word,))
        return word

    return add


def words_in(database: Database) -> list[str]:
    return [word for (word,) in database.read("SELECT word FROM words ORDER BY rowid")]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/words.sqlite3", WORDS)
    yield database
    await database.close()


async def test_a_write_returns_what_its_change_returned_and_is_read_at_once(database: Database) -> None:
    returned = await database.write(adding("one"))

    assert (returned, words_in(database)) == ("one", ["one"])


async def test_writes_that_wait_together_share_one_commit(database: Database) -> None:
    statements: list[str] = []
    release = threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(statements.append)
        release.wait()

    writes = [database.write(hold)] + [database.write(adding(f"word {i}")) for i in range(5)]
    together = asyncio.gather(*writes)
    await asyncio.sleep(0)  # lets every write reach the queue
    release.set()
    await together

    assert statements.count("COMMIT") == 1
    assert len(words_in(database)) == 5


async def test_a_failing_write_does_not_spoil_its_neighbours(database: Database) -> None:
    def fail_half_way(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO words VALUES ('half')")
        raise ValueError("half way")

    results = await asyncio.gather(
        database.write(adding("before")),
        database.write(fail_half_way),
        database.write(adding("before")),
        database.write(adding("after")),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [str, ValueError, sqlite3.IntegrityError, str]
    assert words_in(database) == ["before", "after"]


async def test_a_full_disk_refuses_the_write_says_so_and_takes_writes_again_once_there_is_room(
    database: Database,
) -> None:
    # SQLite answers a file at its page limit exactly as it answers a full disk: SQLITE_FULL.
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 4"))

    with pytest.raises(StoreUnavailable, match="disk is full: free some space"):
        await database.write(adding("x" * 100_000))
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 4000"))
    await database.write(adding("room"))

    assert words_in(database) == ["room"]


async def test_a_lock_held_by_another_process_fails_every_waiting_write_after_one_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.5)
    database = open_database(f"sqlite:///{tmp_path}/words.sqlite3", WORDS)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async with asyncio.timeout(4):  # ten timeouts one after the other would take 5 s
        results = await asyncio.gather(*(database.write(adding(str(i))) for i in range(10)), return_exceptions=True)
    other.execute("ROLLBACK")
    other.close()
    await database.write(adding("free"))

    assert all(isinstance(result, StoreUnavailable) and "write lock" in str(result) for result in results)
    assert words_in(database) == ["free"]
    await database.close()


async def test_a_commit_is_synced_to_the_disk(database: Database) -> None:
    def pragmas(connection: sqlite3.Connection) -> tuple[str, int]:
        (mode,), (level,) = (connection.execute(f"PRAGMA {p}").fetchone() for p in ("journal_mode", "synchronous"))
        return mode, level

    assert await database.write(pragmas) == ("wal", 2)  # 2 is FULL


async def test_nothing_can_be_written_through_the_reader(database: Database) -> None:
    with pytest.raises(StoreUnavailable, match="read-only"):
        database.read("INSERT INTO words VALUES ('sly')")


async def test_a_programming_error_stays_one(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        database.read("SELECT * FROM nowhere")


async def test_reads_work_from_several_threads_at_once(database: Database) -> None:
    for i in range(50):
        await database.write(adding(f"word {i}"))

    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(lambda _: len(words_in(database)), range(200)))

    assert set(counts) == {50}


async def test_one_database_serves_several_event_loops(database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda i: asyncio.run(database.write(adding(f"word {i}"))), range(40)))

    assert len(words_in(database)) == 40


async def test_a_closed_database_refuses_writes(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/words.sqlite3", WORDS)
    await database.close()

    with pytest.raises(StoreUnavailable, match="is closed"):
        await database.write(adding("late"))


async def test_closing_finishes_the_writes_that_wait(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/words.sqlite3", WORDS)
    writes = asyncio.gather(*(database.write(adding(f"word {i}")) for i in range(100)))
    await asyncio.sleep(0)  # lets every write reach the queue
    await database.close()

    assert len(await writes) == 100
    reopened = open_database(f"sqlite:///{tmp_path}/words.sqlite3", WORDS)
    assert len(words_in(reopened)) == 100
    await reopened.close()


async def test_migrations_are_applied_once_and_only_those_that_are_missing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/words.sqlite3"
    first = open_database(url, WORDS)
    await first.write(adding("old"))
    await first.close()

    second = open_database(
        url, (*WORDS, ("ALTER TABLE words ADD COLUMN language TEXT", "UPDATE words SET language = 'en'"))
    )

    assert second.read("SELECT word, language FROM words") == [("old", "en")]
    assert second.read("PRAGMA user_version") == [(2,)]
    await second.close()


async def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/words.sqlite3"
    await open_database(url, WORDS).close()

    with pytest.raises(sqlite3.OperationalError):
        open_database(url, (*WORDS, ("CREATE TABLE more (x INTEGER) STRICT", "no SQL at all")))

    again = open_database(url, WORDS)
    assert again.read("SELECT name FROM sqlite_schema WHERE type = 'table'") == [("words",)]
    await again.close()


async def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/words.sqlite3"
    await open_database(url, (*WORDS, ())).close()

    with pytest.raises(StoreUnavailable, match="schema version 2, this program knows 1"):
        open_database(url, WORDS)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.sqlite3").write_text("these are not the pages you are looking for\n" * 100)

    with pytest.raises(StoreUnavailable, match="not a database"):
        open_database(f"sqlite:///{tmp_path}/words.sqlite3", WORDS)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailable, match="cannot make the folder"):
        open_database(f"sqlite:///{tmp_path}/file/words.sqlite3", WORDS)


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "postgresql://localhost/penchant", "words.sqlite3"])
async def test_another_url_is_refused_with_the_form_expected(url: str) -> None:
    with pytest.raises(SettingsError, match="expected sqlite:///relative/path or sqlite:////absolute/path"):
        open_database(url)


async def test_a_relative_url_starts_at_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = open_database("sqlite:///new folder/50% #1?.sqlite3", WORDS)

    assert database.path == tmp_path / "new folder" / "50% #1?.sqlite3"
    assert words_in(database) == []
    await database.close()


async def test_one_opens_the_file_at_a_time_and_says_what_it_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "SET_UP_TIMEOUT_S", 0.1)
    url = f"sqlite:///{tmp_path}/words.sqlite3"
    with (
        FileLock(f"{tmp_path}/words.sqlite3.lock"),
        pytest.raises(StoreUnavailable, match=r"words.sqlite3.lock \(held for 0.1 s\)"),
    ):
        open_database(url, WORDS)
    assert not (tmp_path / "words.sqlite3").exists()

    await open_database(url, WORDS).close()
    await open_database(url, WORDS).close()  # each gave it back


WRITER_PROCESS = """
import asyncio, sys
from app.storage.database import open_database

async def main(url, name):
    database = open_database(url, (("CREATE TABLE words (word TEXT NOT NULL UNIQUE) STRICT",),))
    for i in range(100):
        await database.write(lambda connection: connection.execute("INSERT INTO words VALUES (?)", (f"{name} {i}",)))
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_several_processes_open_and_write_one_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/words.sqlite3"
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER_PROCESS, url, name, cwd=REPOSITORY)
        for name in "abc"
    ]

    assert [await process.wait() for process in processes] == [0, 0, 0]
    database = open_database(url, WORDS)
    assert sorted(words_in(database)) == sorted(f"{name} {i}" for name in "abc" for i in range(100))
    await database.close()
