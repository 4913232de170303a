"""What every test may rely on: a seed, one asyncio backend, and the tiny models, data set and bundle of `tiny`.

Those are made once a run, by the real jobs, when the first test asks for them; nothing may write to them.
"""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

from app.settings import Settings

if TYPE_CHECKING:
    from tiny_rooms import Rooms

    from app.offline.dataset import Dataset
    from app.offline.workshop import Models
    from app.trained import Trained

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _seed() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries that still read the global state


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny import write_bert  # here and below, not above: torch and transformers take seconds to import

    return write_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny import write_llama

    return write_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def tiny_models(bert_folder: Path, llama_folder: Path) -> "Models":
    from app.offline.workshop import Models

    return Models(text=bert_folder, user=llama_folder)


@pytest.fixture(scope="session")
def tiny_dataset_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny import write_tiny_dataset

    folder = tmp_path_factory.mktemp("data") / "tiny"
    write_tiny_dataset(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_dataset(tiny_dataset_folder: Path) -> "Dataset":
    from app.offline.dataset import read_dataset

    return read_dataset(tiny_dataset_folder)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory, tiny_dataset: "Dataset", tiny_models: "Models") -> Path:
    from tiny import build_tiny

    return build_tiny(tiny_dataset, tiny_models, tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def tiny_trained(tiny_bundle: Path) -> "Trained":
    import torch

    from app.bundle import open_bundle
    from app.trained import load_trained

    return load_trained(open_bundle(tiny_bundle), torch.device("cpu"))


@pytest.fixture
def tiny_settings(tiny_bundle: Path, tmp_path: Path) -> Settings:
    """Serves the tiny bundle from a folder of the test's own, its cache in memory."""
    return Settings(
        bundle_dir=tiny_bundle,
        data_dir=tmp_path / "var",
        redis_url="memory://",
        device="cpu",
        threads=1,
        encode_budget_ms=30_000,  # a busy machine is no reason for a lower rung here
    )


@pytest.fixture
async def rooms(tiny_bundle: Path, tmp_path: Path) -> AsyncIterator["Rooms"]:
    """The rooms behind a recommendation, over a database of the test's own."""
    from tiny_rooms import open_rooms

    async with open_rooms(tiny_bundle, tmp_path) as opened:
        yield opened
