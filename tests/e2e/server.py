"""The real server, as a newcomer starts it: `penchant serve` in a process of its own, real HTTP, real Redis."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2

START_TIMEOUT_S = 300.0  # a few seconds on an idle machine; a bound, not an expectation
POLL_S = 0.05
TURNS = 8
"""Questions asked in a row, each on a new connection, so that both workers are met."""
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP: a new client otherwise reads those of all the world, 70 ms of every request."""


class Server:
    """Use as a context manager; `url` is where it listens. Stopping it is SIGTERM, as a process manager would.

    settings: further ones, by name.
    """

    def __init__(
        self, bundle: Path, data_dir: Path, *, redis_url: str = "embedded://", workers: int = 1, **settings: object
    ) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = data_dir / "server.log"
        data_dir.mkdir(parents=True, exist_ok=True)
        self._command = [
            *(sys.executable, "-m", "app.cli", "serve"),
            *("--port", str(self.port), "--workers", str(workers), "--threads", str(workers)),
            *("--bundle-dir", str(bundle), "--data-dir", str(data_dir), "--redis-url", redis_url, "--device", "cpu"),
            *(word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        with self._log.open("ab") as log:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("PENCHANT_")}
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environment)
        try:
            wait_until(self._is_ready, START_TIMEOUT_S, self._describe)
        except BaseException:
            self.kill()  # else a server that never got ready outlives its test
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def fetch(self, method: str, path: str, **told: Any) -> httpx2.Response:
        """A new connection each time, so that two workers take turns."""
        return httpx2.request(method, self.url + path, verify=NO_CERTIFICATES, **{"timeout": 30, **told})

    def ask(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        answer = self.fetch(method, path, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def recommend(self, **request: Any) -> Any:
        return self.ask("POST", "/v1/recommendations", request)

    def send(self, *events: dict[str, Any]) -> Any:
        return self.ask("POST", "/v1/events", {"events": list(events)})

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self._describe()
        try:
            return self.fetch("GET", "/readyz", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    def _describe(self) -> str:
        return self._log.read_text(errors="replace")[-4_000:]


def wait_until(holds: Callable[[], bool], timeout_s: float, describe: Callable[[], str] = str) -> float:
    """Ask until it holds; give the seconds that took. Fails with what `describe` tells."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < timeout_s, f"not within {timeout_s} s: {describe()}"
        time.sleep(POLL_S)
    return time.monotonic() - started


def everywhere(holds: Callable[[], bool]) -> Callable[[], bool]:
    """Of every worker: it holds for TURNS answers in a row. Not all at once, since the worker that is at leisure takes
    them all while another still learns what is asked about."""

    def in_a_row() -> bool:
        for _ in range(TURNS):
            if not holds():
                return False
            time.sleep(POLL_S)
        return True

    return in_a_row


def put_placement(server: Server, name: str, **rules: Any) -> None:
    """Returns when every worker knows it."""
    server.ask("PUT", f"/v1/placements/{name}", rules, expect=201)
    asked = {"placement": name, "validate_only": True}
    known = everywhere(lambda: server.fetch("POST", "/v1/recommendations", json=asked).status_code == 200)
    wait_until(known, 1.0 + TURNS * 0.4)


def item_ids(slate: Any) -> list[str]:
    return [item["item_id"] for item in slate["items"]]


def like(number: str, user_id: str, item_id: str) -> dict[str, Any]:
    """An event."""
    return {"event_id": f"like-{number}", "user_id": user_id, "item_id": item_id, "type": "like"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
