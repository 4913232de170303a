"""Group commit: one thread writes to SQLite, and writes that wait together share one sync of the disk.

A sync takes milliseconds, a row microseconds: writing one row a commit, a disk that syncs 300 times a second takes 300
rows a second; sharing commits, tens of thousands. Nothing waits in order to be grouped: a lone write goes at once, and
those that come in during its sync form the next group.
"""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.errors import Overloaded, StoreUnavailable
from app.storage.sqlite_errors import explain_sqlite_errors

T = TypeVar("T")

MAX_WAITING = 1_024
GROUP_BUDGET_S = 0.02
"""How long a group may grow. Past 20 ms a sync is shared well enough, and other processes want the lock."""


class GroupCommitWriter:
    """Owner of the one connection that writes.

    Every write runs inside its own savepoint, so that one which fails takes nothing with it. Only when SQLite itself
    gives up the transaction (a full disk, an I/O error) does the whole group fail, and none of it is stored.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, max_waiting: int = MAX_WAITING) -> None:
        self._connection = connection
        self._path = path
        self._max_waiting = max_waiting
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()  # makes "is it closed, is it full, put" one step
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._waiting.qsize()

    def submit(self, change: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Queue a write; its future resolves after the commit. Raises Overloaded, or StoreUnavailable once closed."""
        write = _Write(change)
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"{self._path} is closed: the server is stopping, try again in a moment")
            if self._waiting.qsize() >= self._max_waiting:
                raise Overloaded(f"{self._max_waiting} writes are waiting for the disk: try again in a second")
            self._waiting.put(write)
        return write.future

    def close(self) -> None:
        """Write what waits, then end the thread and close the connection."""
        with self._lock:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (write := self._waiting.get()) is not None:
            if write.future.set_running_or_notify_cancel():
                self._commit_group(write)

    def _commit_group(self, first: "_Write") -> None:
        group = [first]
        try:
            with explain_sqlite_errors(self._path):
                self._connection.execute("BEGIN IMMEDIATE")
                self._apply(first)
                for write in self._take_waiting():
                    group.append(write)
                    self._apply(write)
                self._connection.execute("COMMIT")
        except Exception as error:  # the thread must outlive whatever a write does
            self._roll_back()
            # SQLite takes nothing for the moment: those that wait hear it too, rather than each after its own 5 s.
            for write in (*group, *self._take_waiting()):
                write.future.set_exception(error)
        else:
            for write in group:
                write.resolve()

    def _take_waiting(self) -> "Iterator[_Write]":
        deadline = time.monotonic() + GROUP_BUDGET_S
        while time.monotonic() < deadline:
            try:
                write = self._waiting.get_nowait()
            except queue.Empty:
                return
            if write is None:
                self._waiting.put(None)  # closing: `_run` has to see it; nothing can come after it
                return
            if write.future.set_running_or_notify_cancel():
                yield write

    def _apply(self, write: "_Write") -> None:
        self._connection.execute("SAVEPOINT one_write")
        try:
            with explain_sqlite_errors(self._path):
                write.result = write.change(self._connection)
        except Exception as error:
            if not self._connection.in_transaction:
                raise  # SQLite rolled the whole group back
            self._connection.execute("ROLLBACK TO one_write")
            write.error = error
        self._connection.execute("RELEASE one_write")

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # there is none when SQLite has rolled back itself, or never began
            self._connection.execute("ROLLBACK")


@dataclass(slots=True)
class _Write:
    change: Callable[[sqlite3.Connection], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def resolve(self) -> None:
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)
