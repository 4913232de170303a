"""What the machine gives: Python, torch, memory, threads, disk, time."""

import os
import platform
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from app.doctor.finding import Finding, broken, doubtful, fine
from app.machine import usable_cores, usable_memory_bytes
from app.settings import Settings
from app.storage.database import database_path

OLDEST_PYTHON = (3, 11)
WORKER_BYTES = 700 * 2**20
"""Resident memory of one worker with a bundle of the demo's size: torch, transformers and FAISS make most of it."""
LEAST_FREE_BYTES = 200 * 2**20
SCARCE_FREE_BYTES = 2 * 2**30
WRONG_BY_S = 60.0


def check_python(_settings: Settings) -> Iterator[Finding]:
    told = f"Python {platform.python_version()}, penchant {version('penchant')}"
    if sys.version_info < OLDEST_PYTHON:
        yield broken(told, f"use Python {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    else:
        yield fine(told)


def check_torch(settings: Settings) -> Iterator[Finding]:
    """That the heavy libraries load, and that torch sees the device of the settings. Raises SettingsError."""
    import faiss
    import torch
    import transformers

    from app.device import choose_device

    device = choose_device(settings)
    libraries = {"torch": torch, "transformers": transformers, "FAISS": faiss}
    told = ", ".join(f"{name} {library.__version__}" for name, library in libraries.items())
    yield fine(f"{told}, device {device}")


def check_threads(settings: Settings) -> Iterator[Finding]:
    cores = usable_cores()
    threads = settings.threads or int(cores) or 1
    told = f"{cores:g} cores, {threads} threads for {settings.workers} workers"
    if settings.threads > cores:
        yield doubtful(told, "set PENCHANT_THREADS to 0: threads that wait for a core can make a call 8 times as slow")
    elif settings.workers > max(1, cores):
        yield doubtful(told, "set PENCHANT_WORKERS to at most the cores: workers share them")
    else:
        yield fine(told)


def check_memory(settings: Settings) -> Iterator[Finding]:
    bundle = sum(path.stat().st_size for path in settings.bundle_dir.rglob("*") if path.is_file())
    needed, there = settings.workers * (WORKER_BYTES + bundle), usable_memory_bytes()
    told = f"{there / 2**30:.1f} GiB, about {needed / 2**30:.1f} GiB wanted by {settings.workers} workers"
    if needed > there:
        yield broken(told, "fewer PENCHANT_WORKERS, or more memory: the kernel would end a worker in mid-request")
    elif needed > there * 0.8:
        yield doubtful(told, "fewer PENCHANT_WORKERS, or more memory: little is left for anything else")
    else:
        yield fine(told)


def check_disk(settings: Settings) -> Iterator[Finding]:
    folder = _nearest(settings.data_dir)
    free = shutil.disk_usage(folder).free
    told = f"{free / 2**30:.1f} GiB free at {settings.data_dir}"
    if not os.access(folder, os.W_OK):
        yield broken(f"{folder} cannot be written", "give this user the right to, or set PENCHANT_DATA_DIR")
    elif free < LEAST_FREE_BYTES:
        yield broken(told, "free some space: events are refused once the disk is full")
    elif free < SCARCE_FREE_BYTES:
        yield doubtful(told, "free some space soon: events are refused once the disk is full")
    else:
        yield fine(told)


def check_clock(settings: Settings) -> Iterator[Finding]:
    """Against what was written before: a clock that was set back makes the newest events look as if yet to come."""
    newest = max(_newest_write(database_path(settings.database_url)), _newest_file(settings.bundle_dir))
    behind_s = newest - time.time()
    if behind_s > WRONG_BY_S:
        yield broken(
            f"the clock is {behind_s:.0f} s behind what was already written",
            "set it (chrony or systemd-timesyncd): gaps between events and slates would be read wrongly",
        )
    else:
        yield fine(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}, not behind what was written")


def _newest_write(database: Path) -> float:
    """When the newest event was taken in, in seconds since 1970; 0 where there is none to tell."""
    if not database.is_file():
        return 0.0
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT received_at FROM events ORDER BY seq DESC LIMIT 1").fetchall()
    except sqlite3.Error:
        return 0.0  # the check of the database says what is wrong with it
    return float(rows[0][0]) / 1_000_000 if rows else 0.0


def _newest_file(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.rglob("*") if path.is_file()), default=0.0)


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that exists: where it would be made."""
    folder = folder.absolute()
    return next(parent for parent in (folder, *folder.parents) if parent.is_dir())
