"""What SQLite's error codes mean for whoever runs the service, and what to do about each."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import StoreUnavailable

_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_BUSY: "another process holds the write lock: see who has the file open",
    sqlite3.SQLITE_IOERR: "the disk does not answer as it should: look at the system's log",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only: give this user the right to write",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: look at the folder and its rights",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore it from a copy",
    sqlite3.SQLITE_NOTADB: "the file is not a database: point PENCHANT_DATABASE_URL at another one",
}


@contextmanager
def explain_sqlite_errors(path: Path) -> Iterator[None]:
    """Turn what the disk or another process did to us into StoreUnavailable; let programming errors through."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of an extended code tells it in more detail
        if code not in _ADVICE:
            raise
        raise StoreUnavailable(f"{path}: {error} ({error.sqlite_errorname}): {_ADVICE[code]}") from error
