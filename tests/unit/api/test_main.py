import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings


def test_importing_the_application_loads_no_model_library() -> None:
    code = "import sys, app.main; print([m for m in ('torch', 'transformers', 'faiss') if m in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"


def test_several_applications_live_in_one_process() -> None:
    apps = [create_app(Settings(), FakeResources().open) for _ in range(2)]

    for app in apps:
        with TestClient(app) as client:
            assert client.get("/metrics").status_code == 200
            assert client.get("/docs").status_code == 200


def test_resources_are_open_for_as_long_as_the_application_runs() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def open_resources(settings: Settings) -> AsyncIterator[FakeResources]:
        told.append(f"open {settings.workers}")
        yield FakeResources()
        told.append("closed")

    with TestClient(create_app(Settings(workers=3), open_resources)) as client:
        assert client.get("/readyz").status_code == 200
        assert told == ["open 3"]
    assert told == ["open 3", "closed"]
