"""What every test may rely on: a seed, one asyncio backend, one thread for torch."""

import random

import numpy as np
import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _seed() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries that still read the global state
