"""`penchant serve`: the parent of the server processes, owner of the embedded Valkey and of the shared metrics."""

import os
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack

import uvicorn

from app.bundle import open_bundle
from app.logs import configure_logging
from app.settings import Settings
from app.storage.embedded_valkey import EMBEDDED_URL, EmbeddedValkey
from app.telemetry import share_metrics

DRAIN_S = 10  # requests in flight are given this long after SIGTERM
READY_POLL_S = 0.2


def serve_forever(settings: Settings, when_ready: Callable[[], None] | None = None) -> None:
    """Serve until told to stop. Raises BundleError and SettingsError before anything listens.

    when_ready: called once, from a thread of its own, when the server answers that it is ready.
    """
    configure_logging(json_logs=settings.json_logs)
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
            timeout_graceful_shutdown=DRAIN_S,
        )


def _call_when_ready(settings: Settings, when_ready: Callable[[], None]) -> None:
    url = f"http://{settings.host}:{settings.port}/readyz"
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return when_ready()
        except OSError:
            time.sleep(READY_POLL_S)
