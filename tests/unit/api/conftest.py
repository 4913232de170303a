from collections.abc import Iterator

import pytest
from api_fakes import MAX_BODY_BYTES, FakeResources
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings


@pytest.fixture
def resources() -> FakeResources:
    return FakeResources()


@pytest.fixture
def client(resources: FakeResources) -> Iterator[TestClient]:
    app = create_app(Settings(max_body_bytes=MAX_BODY_BYTES), resources.open)
    with TestClient(app) as client:
        yield client
