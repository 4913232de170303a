from collections.abc import Iterator
from pathlib import Path

import pytest
from api_fakes import MAX_BODY_BYTES, FakeResources
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings


@pytest.fixture
def resources() -> FakeResources:
    return FakeResources()


@pytest.fixture
def client(resources: FakeResources, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(
        Settings(max_body_bytes=MAX_BODY_BYTES, max_import_bytes=400_000, data_dir=tmp_path), resources.open
    )
    with TestClient(app) as client:
        yield client
