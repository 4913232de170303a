"""The server of a module: started when its first test asks for it, shared by all of them, stopped after the last.

A module says what is special about its own by a mark: `pytestmark = pytest.mark.served(stored=True, workers=1)`.
stored: whether the tiny data set's events are in the database before it starts, as `penchant data load` leaves them.
All else goes to `Server`; two workers where nothing is said. For another bundle, or events of its own, it overrides a
fixture.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress
from server import Server


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the module's mark says."""
    mark = request.node.get_closest_marker("served")
    return {"stored": False, "workers": 2} | (mark.kwargs if mark else {})


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, served: dict[str, Any], tiny_dataset_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("served") / "var"
    folder.mkdir()
    if served["stored"]:
        from app.offline.load import load_dataset

        database = f"sqlite:///{folder / 'penchant.sqlite3'}"
        asyncio.run(load_dataset(tiny_dataset_folder, "tiny", database, Progress(disable=True)))
    return folder


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Path:
    """What is served."""
    return tiny_bundle


@pytest.fixture(scope="module")
def server(bundle: Path, data_dir: Path, served: dict[str, Any]) -> Iterator[Server]:
    settings = {name: value for name, value in served.items() if name != "stored"}
    with Server(bundle, data_dir, **settings) as running:
        yield running
