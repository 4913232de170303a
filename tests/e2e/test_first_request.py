"""A server that has just started, asked as soon as it says that it is ready."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server import Server

pytestmark = pytest.mark.served(stored=True, workers=1, threads=2)

EVERYTHING = {"words": "western", "steer": "more comedy", "filter": "year >= 1990", "explain": True, "diversity": 0.5}


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """As most machines have it: no word of threads. And OpenMP says what it goes by."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS", raising=False)
        patch.setenv("OMP_DISPLAY_ENV", "true")
        yield


def test_the_very_first_request_is_answered_in_full_and_waiting_threads_sleep(server: Server, data_dir: Path) -> None:
    first = server.recommend(user_id="u1", k=5, **EVERYTHING)["served_by"]
    assert (first["rung"], first["degraded"]) == ("fresh", [])
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in (data_dir / "server.log").read_text()
