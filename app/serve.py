"""`penchant serve`: the parent of the server processes, owner of the embedded Valkey and of the shared metrics."""

import os
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from ipaddress import ip_address

import uvicorn
from uvicorn.supervisors import multiprocess

from app.bundle import open_bundle
from app.errors import SettingsError
from app.logs import configure_logging
from app.receiving import DeadlineProtocol
from app.settings import Settings
from app.storage.embedded_valkey import EMBEDDED_URL, EmbeddedValkey
from app.telemetry import share_metrics

DRAIN_S = 10  # requests in flight are given this long after SIGTERM
WORKER_SILENT_S = 60
"""How long a worker may not answer its parent before it is replaced. The default of 5 s is less than importing torch
and reading a bundle take on a busy machine: workers were killed before they had begun to serve, again and again."""
READY_POLL_S = 0.2


def serve_forever(settings: Settings, when_ready: Callable[[], None] | None = None) -> None:
    """Serve until told to stop. Raises BundleError and SettingsError before it listens.

    when_ready: called once, from a thread of its own, when the server answers that it is ready.
    """
    configure_logging(json_logs=settings.json_logs)
    refuse_exposure(settings)
    open_bundle(settings.bundle_dir)
    with ExitStack() as stack:
        if settings.redis_url == EMBEDDED_URL:
            valkey = EmbeddedValkey(settings.data_dir / "valkey")
            settings = settings.model_copy(update={"redis_url": valkey.start()})
            stack.callback(valkey.stop)
        if settings.workers > 1:
            share_metrics(settings.data_dir / "metrics")
        os.environ.update(settings.as_environment())  # how worker processes, which start afresh, get their settings
        if when_ready is not None:
            threading.Thread(target=_call_when_ready, args=(settings, when_ready), daemon=True).start()
        multiprocess.Process = _Worker  # type: ignore[misc]  # uvicorn has no other way to name its class
        uvicorn.run(
            "app.main:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            http=partial(DeadlineProtocol, receive_s=settings.receive_s),  # type: ignore[arg-type]  # called as one is
            timeout_graceful_shutdown=DRAIN_S,
            timeout_worker_healthcheck=WORKER_SILENT_S,
        )


class _Worker(multiprocess.Process):
    """A server process whose death its parent hears of at once.

    As uvicorn leaves it, the parent holds the child's end of the pipe open too: when one died while it was asked
    whether it lives, the parent waited all of WORKER_SILENT_S for its answer, deaf to SIGTERM.
    """

    def start(self) -> None:
        super().start()
        self.child_conn.close()


def refuse_exposure(settings: Settings) -> None:
    """Raises SettingsError where anybody on the network could read and write without a key."""
    if not settings.api_key.get_secret_value() and not _is_loopback(settings.host):
        raise SettingsError(
            f"host is {settings.host!r} and no api_key is set: anybody who reaches that address could read what every "
            "user likes and write events. Set PENCHANT_API_KEY, or listen on 127.0.0.1"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _call_when_ready(settings: Settings, when_ready: Callable[[], None]) -> None:
    url = f"http://{settings.host}:{settings.port}/readyz"
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return when_ready()
        except OSError:
            time.sleep(READY_POLL_S)
