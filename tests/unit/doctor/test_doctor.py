"""Each fault is really made, and the doctor finds it and says what to do."""

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from programs import find_program
from typer.testing import CliRunner

from app import cli
from app.catalogue.store import CatalogueStore
from app.doctor import machine, serving, stores
from app.doctor.checks import CHECKS
from app.doctor.finding import Check, Finding, State, examine
from app.domain import Item, ItemId
from app.settings import Settings
from app.storage.database import open_database
from app.storage.timestamps import to_micros


def look(check: Check, settings: Settings) -> list[Finding]:
    return [finding for _, finding in examine(settings, [("it", check)])]


def worst(check: Check, settings: Settings) -> Finding:
    order = list(State)
    return max(look(check, settings), key=lambda finding: order.index(finding.state))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var", bundle_dir=tmp_path / "bundle", redis_url="memory://", device="cpu")


@pytest.fixture
def database(settings: Settings) -> Path:
    """A database of the present schema, closed again."""
    opened = open_database(settings.database_url)
    asyncio.run(opened.close())
    return opened.path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_sound_service_passes_every_check(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PENCHANT_")]:
        monkeypatch.delenv(name)
    found = list(examine(tiny_settings.model_copy(update={"port": 0}), CHECKS))
    assert [finding for _, finding in found if finding.state is State.BROKEN] == []
    assert {name for name, _ in found} == {name for name, _ in CHECKS}


def test_the_exit_status_is_1_when_something_is_broken_and_every_check_is_still_told(tmp_path: Path) -> None:
    told = ["doctor", "--bundle-dir", str(tmp_path / "none"), "--data-dir", str(tmp_path), "--redis-url", "memory://"]
    outcome = CliRunner().invoke(cli.app, [*told, "--port", "0"])
    assert outcome.exit_code == 1
    assert "no bundle at" in outcome.stdout
    assert all(name in outcome.stdout for name, _ in CHECKS)


def test_a_library_that_is_missing_is_told_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    code = "import sys; sys.modules['faiss'] = None; from app.cli import main; main()"
    words = ["doctor", "--data-dir", str(tmp_path), "--redis-url", "memory://", "--port", "0"]
    outcome = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert outcome.returncode == 1
    assert "mend the installation" in outcome.stdout
    assert "port" in outcome.stdout


def test_a_python_that_is_too_old(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (sys.version_info.major, sys.version_info.minor + 1))
    assert worst(machine.check_python, settings).state is State.BROKEN


def test_a_device_that_is_not_there(settings: Settings) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    finding = worst(machine.check_torch, settings.model_copy(update={"device": "cuda"}))
    assert finding.state is State.BROKEN
    assert "use auto" in finding.found


def test_more_threads_or_workers_than_cores(settings: Settings) -> None:
    for change in ({"threads": 4_096}, {"workers": 4_096}):
        assert worst(machine.check_threads, settings.model_copy(update=change)).state is State.DOUBTFUL


def test_more_workers_than_memory(settings: Settings) -> None:
    finding = worst(machine.check_memory, settings.model_copy(update={"workers": 100_000}))
    assert finding.state is State.BROKEN
    assert "fewer PENCHANT_WORKERS" in finding.do


def test_a_disk_that_runs_full(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is the real one; what counts as full is moved past what it has."""
    free = shutil.disk_usage(settings.data_dir.parent).free
    monkeypatch.setattr(machine, "SCARCE_FREE_BYTES", 2 * free)
    assert worst(machine.check_disk, settings).state is State.DOUBTFUL
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 2 * free)
    assert worst(machine.check_disk, settings).state is State.BROKEN


def test_a_clock_that_was_set_back(settings: Settings, database: Path) -> None:
    later = to_micros(datetime.now(UTC) + timedelta(hours=2))
    with closing(sqlite3.connect(database)) as connection, connection:
        row = ("e1", "u1", "i1", "like", later, later)
        connection.execute(
            "INSERT INTO events (event_id, user_id, item_id, type, at, received_at) VALUES (?, ?, ?, ?, ?, ?)", row
        )
    finding = worst(machine.check_clock, settings)
    assert finding.state is State.BROKEN
    assert "7200 s behind" in finding.found or "7199 s behind" in finding.found


def test_a_sound_database_is_counted(settings: Settings, database: Path) -> None:
    assert [finding.state for finding in look(stores.check_database, settings)] == [State.FINE, State.FINE]


def test_a_damaged_page_of_the_database(settings: Settings, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        rows = [(f"e{n}", "u1", "i1", "like", n, n) for n in range(5_000)]
        connection.executemany(
            "INSERT INTO events (event_id, user_id, item_id, type, at, received_at) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
    content = bytearray(database.read_bytes())
    for place in range(len(content) // 2, len(content), 4_096):
        content[place : place + 64] = b"\xff" * 64
    database.write_bytes(content)
    finding = worst(stores.check_database, settings)
    assert finding.state is State.BROKEN
    assert "restore" in finding.found + finding.do


def test_a_file_that_is_no_database(settings: Settings, database: Path) -> None:
    database.write_bytes(b"not a database" * 1_000)
    assert "the file is not a database" in worst(stores.check_database, settings).found


def test_a_database_of_a_newer_penchant(settings: Settings, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")
    assert "run the newer Penchant" in worst(stores.check_database, settings).found


def test_a_write_ahead_log_that_a_reader_holds_open(
    settings: Settings, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "LARGE_WAL_BYTES", 1_000)
    with closing(sqlite3.connect(database)) as reader, closing(sqlite3.connect(database)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        writer.execute("CREATE TABLE more (x)")
        writer.commit()
        assert "who holds" in worst(stores.check_database, settings).do


def test_a_database_url_of_another_form(settings: Settings) -> None:
    finding = worst(stores.check_database, settings.model_copy(update={"database_url": "postgres://x"}))
    assert finding.state is State.BROKEN


def test_a_redis_that_is_not_there_leaves_the_service_standing(settings: Settings) -> None:
    finding = worst(stores.check_redis, settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}"}))
    assert finding.state is State.DOUBTFUL
    assert "mend PENCHANT_REDIS_URL" in finding.do


def test_a_redis_that_hangs_is_given_up_in_time(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        assert worst(stores.check_redis, settings.model_copy(update={"redis_url": url})).state is State.DOUBTFUL
        assert time.monotonic() - started < 5


def _answers(where: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(where)) == 0


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[str]:
    program = find_program("valkey-server", "redis-server", target="redis-server")
    where = folder / "redis.sock"
    words = ["--port", "0", "--unixsocket", str(where), "--save", "", *options]
    process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    try:
        while not _answers(where):  # the file is there a moment before anybody listens
            assert process.poll() is None
            threading.Event().wait(0.02)
        yield f"unix://{where}"
    finally:
        process.kill()
        process.wait()


def test_a_redis_that_refuses_writes_once_it_is_full(settings: Settings, tmp_path: Path) -> None:
    with redis_server(tmp_path, "--maxmemory", "50mb", "--maxmemory-policy", "noeviction") as url:
        asked = settings.model_copy(update={"redis_url": url, "redis_timeout_ms": 2_000})
        assert "allkeys-lru" in worst(stores.check_redis, asked).do


def test_a_cache_that_workers_cannot_share(settings: Settings) -> None:
    assert worst(stores.check_redis, settings.model_copy(update={"workers": 2})).state is State.DOUBTFUL


def test_a_port_that_somebody_holds(settings: Settings) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        asked = settings.model_copy(update={"port": bound.getsockname()[1]})
        finding = worst(serving.check_port, asked)
    assert finding.state is State.BROKEN
    assert "PENCHANT_PORT" in finding.do


def test_a_variable_with_a_slip_of_the_pen(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENCHANT_REDIS_ULR", "redis://cache")
    finding = worst(serving.check_settings, settings)
    assert (finding.state, finding.do) == (State.DOUBTFUL, "is PENCHANT_REDIS_URL meant?")


def test_a_service_that_would_stand_open(settings: Settings) -> None:
    finding = worst(serving.check_settings, settings.model_copy(update={"host": "0.0.0.0"}))  # noqa: S104 - the fault
    assert finding.state is State.BROKEN
    assert "Set PENCHANT_API_KEY" in finding.found


@pytest.fixture
def own_bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "own"))


def test_a_catalogue_that_another_bundle_left_in_the_store(tiny_settings: Settings) -> None:
    async def leave(n_items: int) -> None:
        database = open_database(tiny_settings.database_url)
        await CatalogueStore(database).seed([Item(ItemId(f"film {n}"), f"Film {n}") for n in range(n_items)])
        await CatalogueStore(database).put(Item(ItemId("new"), "Put by the shop itself"), None, None)
        await database.close()

    asyncio.run(leave(0))
    assert worst(serving.check_bundle, tiny_settings).state is State.FINE
    asyncio.run(leave(100))
    finding = worst(serving.check_bundle, tiny_settings)
    assert finding.state is State.DOUBTFUL
    assert finding.found.startswith("100 of 101 items came with another bundle")
    assert "its own PENCHANT_DATA_DIR" in finding.do


def damage(bundle: Path) -> Any:
    weights = bundle / "space.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)


def test_a_bundle_with_one_flipped_bit(tiny_settings: Settings, own_bundle: Path) -> None:
    damage(own_bundle)
    finding = worst(serving.check_bundle, tiny_settings.model_copy(update={"bundle_dir": own_bundle}))
    assert finding.state is State.BROKEN
    assert "space.safetensors is damaged" in finding.found
