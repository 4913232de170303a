"""A server that has just started, asked as soon as it says that it is ready."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.progress import Progress
from server import Server

from app.offline.load import load_dataset

EVERYTHING = {"words": "western", "steer": "more comedy", "filter": "year >= 1990", "explain": True, "diversity": 0.5}


@pytest.fixture
def data_dir(tmp_path: Path, tiny_dataset_folder: Path) -> Path:
    database = f"sqlite:///{tmp_path / 'penchant.sqlite3'}"
    asyncio.run(load_dataset(tiny_dataset_folder, "tiny", database, Progress(disable=True)))
    return tmp_path


@pytest.fixture
def fresh(tiny_bundle: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """With two threads to compute with, as most machines let it have."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_DISPLAY_ENV", "true")
    with Server(tiny_bundle, data_dir, threads=2) as running:
        yield running


def test_the_very_first_request_is_answered_in_full_and_waiting_threads_sleep(fresh: Server, data_dir: Path) -> None:
    first = fresh.recommend(user_id="u1", k=5, **EVERYTHING)["served_by"]
    assert (first["rung"], first["degraded"]) == ("fresh", [])
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in (data_dir / "server.log").read_text()
