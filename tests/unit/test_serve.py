import os
import threading
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import uvicorn

from app.errors import BundleError, SettingsError
from app.serve import _call_when_ready, _Worker, refuse_exposure, serve_forever
from app.settings import Settings
from app.telemetry import MULTIPROCESS_DIR


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])  # noqa: S104 - to be refused
def test_an_open_address_without_a_key_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(SettingsError, match=r"no api_key is set.*Set PENCHANT_API_KEY"):
        refuse_exposure(Settings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    refuse_exposure(Settings(host=host))


def test_a_key_opens_every_address() -> None:
    refuse_exposure(Settings(host="0.0.0.0", api_key="secret"))  # noqa: S104


def test_the_refusal_comes_before_the_bundle_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        serve_forever(Settings(host="0.0.0.0", bundle_dir=tmp_path / "none"))  # noqa: S104


def test_the_key_reaches_worker_processes_and_no_log() -> None:
    settings = Settings(api_key="secret")
    assert settings.as_environment()["PENCHANT_API_KEY"] == "secret"
    assert "secret" not in repr(settings)


class Listening:
    """Stands for uvicorn: keeps how it was called, and what worker processes would find in their environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.environment: dict[str, str] = {}
        self.told: dict[str, Any] = {}
        self.error: Exception | None = None
        self._our_own = dict(os.environ)
        monkeypatch.setattr(os, "environ", self._our_own)
        monkeypatch.setattr(uvicorn, "run", self)

    def __call__(self, _app: str, **told: Any) -> None:
        self.told, self.environment = told, dict(self._our_own)
        if self.error is not None:
            raise self.error


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Listening:
    return Listening(monkeypatch)


class Valkey:
    running: ClassVar[list[Path]] = []

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> str:
        self.running.append(self.folder)
        return "unix:///run/valkey.sock"

    def stop(self) -> None:
        self.running.remove(self.folder)


def test_without_a_bundle_nothing_listens(tmp_path: Path, listening: Listening) -> None:
    with pytest.raises(BundleError, match="no bundle at"):
        serve_forever(Settings(bundle_dir=tmp_path / "none", redis_url="memory://"))
    assert listening.told == {}


def test_workers_find_the_settings_in_their_environment(tiny_settings: Settings, listening: Listening) -> None:
    serve_forever(tiny_settings.model_copy(update={"port": 1234, "json_logs": True}))
    assert listening.environment.items() >= tiny_settings.as_environment().items() - {
        ("PENCHANT_PORT", "8000"),
        ("PENCHANT_JSON_LOGS", "False"),
    }
    assert (listening.environment["PENCHANT_PORT"], listening.environment["PENCHANT_JSON_LOGS"]) == ("1234", "True")
    assert (listening.told["host"], listening.told["port"], listening.told["workers"]) == ("127.0.0.1", 1234, 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_metrics_are_shared_where_there_are_several_workers(
    tiny_settings: Settings, listening: Listening, workers: int
) -> None:
    serve_forever(tiny_settings.model_copy(update={"workers": workers}))
    assert (MULTIPROCESS_DIR in listening.environment) == (workers > 1)


@pytest.mark.parametrize("error", [None, OSError("the port is taken")])
def test_the_embedded_valkey_is_ours_one_for_all_workers_and_stopped_at_the_end(
    tiny_settings: Settings, listening: Listening, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setattr("app.serve.EmbeddedValkey", Valkey)
    listening.error = error
    with pytest.raises(OSError, match="taken") if error else nullcontext():
        serve_forever(tiny_settings.model_copy(update={"redis_url": "embedded://"}))
    assert listening.environment["PENCHANT_REDIS_URL"] == "unix:///run/valkey.sock"
    assert Valkey.running == []


def test_whoever_waits_is_called_once_when_the_server_says_that_it_is_ready() -> None:
    answers = iter([503, 503, 200])
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(next(answers))
            self.end_headers()

        def log_message(self, *_told: object) -> None:
            pass

    called: list[int] = []
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        _call_when_ready(Settings(port=server.server_port), lambda: called.append(len(asked)))
        server.shutdown()
    assert asked == ["/readyz"] * 3
    assert called == [3]


def test_the_death_of_a_worker_is_heard_of_before_its_time_to_answer_is_over() -> None:
    worker = _Worker(uvicorn.Config("no_such_module:app"), sockets=[])
    worker.start()
    worker.process.join()
    assert worker.parent_conn.poll(30), "nothing to be read: the parent would wait for an answer"
    assert not worker.is_alive(timeout=30)
