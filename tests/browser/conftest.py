"""One server for all tests of the console: two bundles beside one another, forty users with histories, sixty items."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import open_chromium, page_at
from e2e.server import Server
from playwright.sync_api import Browser, Page
from rich.progress import Progress
from tiny import build_tiny

from app.offline.load import load_dataset


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, tiny_dataset: Any, tiny_models: Any) -> Path:
    """The folder of two bundles of different seeds."""
    folder = tmp_path_factory.mktemp("bundles")
    other = build_tiny(tiny_dataset, tiny_models, folder, seed=1)
    shutil.copytree(tiny_bundle, other.parent / tiny_bundle.name)
    return other.parent


@pytest.fixture(scope="session")
def server(
    bundles: Path, tiny_bundle: Path, tiny_dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("console") / "var"
    folder.mkdir()
    asyncio.run(
        load_dataset(tiny_dataset_folder, "tiny", f"sqlite:///{folder / 'penchant.sqlite3'}", Progress(disable=True))
    )
    with Server(bundles / tiny_bundle.name, folder, redis_url="memory://") as running:
        yield running


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Browser]:
    """After the server: while Playwright runs, this thread has an event loop, and `asyncio.run` wants its own."""
    with open_chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with page_at(browser, server.url) as opened:
        yield opened
