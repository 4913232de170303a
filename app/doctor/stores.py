"""What keeps things: the SQLite file and the cache."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.doctor.finding import Finding, broken, doubtful, fine
from app.errors import StoreUnavailable
from app.settings import Settings
from app.storage.database import database_path, look_into
from app.storage.embedded_valkey import EMBEDDED_URL, find_valkey
from app.storage.schema import MIGRATIONS

LARGE_WAL_BYTES = 256 * 2**20
"""SQLite empties its log at 4 MB; one that grows past this is held open by a reader that never ends."""
CLOCKS_APART_S = 5.0
MEMORY_URL = "memory://"


def check_database(settings: Settings) -> Iterator[Finding]:
    """Every page of the file is read: a few seconds for each gigabyte. Raises StoreUnavailable, SettingsError."""
    path = database_path(settings.database_url)
    if not path.exists():
        yield fine(f"{path} is not there yet: the first start makes it")
        return
    with look_into(path) as connection:
        yield from _look_into(connection, path)
    yield _look_at_log(path)


def _look_into(connection: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    (known,) = connection.execute("PRAGMA user_version").fetchone()
    if known > len(MIGRATIONS):
        raise StoreUnavailable(
            f"{path} has schema version {known}, this program knows {len(MIGRATIONS)}: run the newer Penchant"
        )
    (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        yield broken(f"{path} is damaged: {said}", "stop the server and restore the file from a copy")
        return
    n_events, n_items = (connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _tables(known))  # noqa: S608 - our own names
    yield fine(f"{path} is whole: schema {known} of {len(MIGRATIONS)}, {n_events:,} events, {n_items:,} items")


def _tables(known: int) -> tuple[str, ...]:
    empty = "(SELECT 1 WHERE 0)"
    return ("events", "items") if known else (empty, empty)


def _look_at_log(path: Path) -> Finding:
    log = path.with_name(f"{path.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    told = f"write-ahead log of {size / 2**20:.1f} MiB"
    if size > LARGE_WAL_BYTES:
        return doubtful(told, f"see who holds {path} open (a backup, a shell): the log grows until they let go")
    return fine(told)


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Raises SettingsError where the embedded one cannot run."""
    if settings.redis_url == MEMORY_URL:
        yield _look_at_memory(settings)
    elif settings.redis_url == EMBEDDED_URL:
        yield fine(f"embedded: {find_valkey()}")
    else:
        yield from _look_at_server(settings)


def _look_at_memory(settings: Settings) -> Finding:
    told = "memory://: every process keeps interest vectors of its own"
    if settings.workers > 1:
        return doubtful(told, "set PENCHANT_REDIS_URL: each worker encodes every user again")
    return fine(told)


def _look_at_server(settings: Settings) -> Iterator[Finding]:
    timeout_s = settings.redis_timeout_ms / 1_000
    try:
        with Redis.from_url(
            settings.redis_url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
        ) as client:
            about: dict[str, Any] = client.info()
            seconds, micros = client.time()
            limits = client.config_get("maxmemory*")
    except (RedisError, ValueError) as error:
        yield doubtful(
            f"no answer within {settings.redis_timeout_ms} ms: {error}",
            "start it or mend PENCHANT_REDIS_URL; until then every slate is encoded anew",
        )
        return
    apart_s = abs(seconds + micros / 1e6 - time.time())
    used = f"{about['used_memory'] / 2**20:.0f} MiB used"
    yield fine(f"{about.get('server_name', 'redis')} {about['redis_version']} answers, {used}")
    if limits.get("maxmemory-policy") == "noeviction" and limits.get("maxmemory", "0") != "0":
        yield doubtful("its maxmemory-policy is noeviction", "set allkeys-lru: once it is full nothing new is cached")
    if apart_s > CLOCKS_APART_S:
        yield doubtful(f"its clock is {apart_s:.0f} s from ours", "set both machines' clocks (chrony)")
