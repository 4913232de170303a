import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from app.errors import Overloaded
from app.storage.group_commit import GroupCommitWriter


class Held:
    """A writer whose thread is busy until `release` is set, so that what is submitted has to wait."""

    def __init__(self, path: Path, max_waiting: int) -> None:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("CREATE TABLE numbers (n INTEGER)")
        self.writer = GroupCommitWriter(connection, path, max_waiting)
        self.release = threading.Event()
        self._began = threading.Event()
        self.writer.submit(self._hold)
        self._began.wait()

    def _hold(self, _: sqlite3.Connection) -> None:
        self._began.set()
        self.release.wait()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    held = Held(tmp_path / "numbers.sqlite3", max_waiting=2)
    yield held
    held.release.set()
    held.writer.close()


def test_a_full_queue_refuses_at_once(held: Held) -> None:
    waiting = [held.writer.submit(lambda _: "done") for _ in range(2)]

    with pytest.raises(Overloaded, match="2 writes are waiting"):
        held.writer.submit(lambda _: "too many")
    held.release.set()

    assert [future.result(timeout=10) for future in waiting] == ["done", "done"]


def test_a_write_nobody_waits_for_any_more_is_not_done(held: Held) -> None:
    ran: list[str] = []
    given_up = held.writer.submit(lambda _: ran.append("given up"))
    wanted = held.writer.submit(lambda _: ran.append("wanted"))

    assert given_up.cancel()
    held.release.set()
    wanted.result(timeout=10)

    assert ran == ["wanted"]
    with pytest.raises(CancelledError):
        given_up.result()


def test_when_sqlite_gives_the_transaction_up_the_whole_group_fails(held: Held) -> None:
    def give_up(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # what SQLite does by itself on an I/O error
        raise sqlite3.OperationalError("disk I/O error")

    neighbour = held.writer.submit(lambda connection: connection.execute("INSERT INTO numbers VALUES (1)"))
    lost = held.writer.submit(give_up)
    held.release.set()

    for future in (neighbour, lost):
        with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
            future.result(timeout=10)
    rows = held.writer.submit(lambda connection: connection.execute("SELECT * FROM numbers").fetchall())
    assert rows.result(timeout=10) == []
