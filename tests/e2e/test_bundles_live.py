"""Bundles exchanged in two workers while a client hammers: not one request may fail."""

import shutil
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
from server import Server, everywhere, like, wait_until
from tiny import build_tiny

pytestmark = pytest.mark.served(threads=2)

SWITCH_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, tiny_dataset: Any, tiny_models: Any) -> Path:
    """Two bundles of different seeds, beside one another."""
    folder = tmp_path_factory.mktemp("bundles")
    other = build_tiny(tiny_dataset, tiny_models, folder, seed=1)
    shutil.copytree(tiny_bundle, folder / "artifacts" / tiny_bundle.name)
    return other.parent


@pytest.fixture(scope="module")
def versions(artifacts: Path, tiny_bundle: Path) -> tuple[str, str]:
    """The one that answers first, and the other."""
    (other,) = {path.name for path in artifacts.iterdir() if not path.is_symlink()} - {tiny_bundle.name}
    return tiny_bundle.name, other


@pytest.fixture(scope="module")
def bundle(artifacts: Path, versions: tuple[str, str]) -> Path:
    return artifacts / versions[0]


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """Twenty users have liked an item each."""
    server.send(*(like(f"{n}", f"u{n}", f"i{n}") for n in range(20)))
    return server


class Hammer:
    """Asks for slates without a pause, from one thread, each time on a new connection; keeps what came back."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.statuses: Counter[int] = Counter()
        self.bundles: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> "Hammer":
        self._thread.start()
        return self

    def __exit__(self, *_told: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        n = 0
        while not self._stop.is_set():
            n += 1
            body = {"user_id": f"u{n % 20}", "k": 5}
            try:
                answer = self._server.fetch("POST", "/v1/recommendations", json=body)
            except httpx2.HTTPError as error:
                self.failures.append(repr(error))
                continue
            self.statuses[answer.status_code] += 1
            self.bundles[answer.json().get("served_by", {}).get("bundle", answer.text)] += 1


def answers_of_all(server: Server, version: str) -> bool:
    return everywhere(lambda: server.recommend(user_id="u1", k=1)["served_by"]["bundle"] == version)()


def test_a_bundle_is_activated_and_rolled_back_under_load_without_one_failed_request(
    server: Server, versions: tuple[str, str]
) -> None:
    first, second = versions
    with Hammer(server) as hammer:
        activated = server.ask("POST", f"/v1/bundles/{second}:activate")
        wait_until(lambda: answers_of_all(server, second), SWITCH_TIMEOUT_S)
        rolled_back = server.ask("POST", "/v1/bundles:rollback")
        wait_until(lambda: answers_of_all(server, first), SWITCH_TIMEOUT_S)

    assert (activated["version"], activated["before"], activated["warmed_users"]) == (second, first, 20)
    assert (rolled_back["version"], rolled_back["before"]) == (first, second)
    assert hammer.failures == []
    assert set(hammer.statuses) == {200}
    assert set(hammer.bundles) == {first, second}


def test_after_an_exchange_the_interests_of_recent_users_are_cached_already(
    server: Server, versions: tuple[str, str]
) -> None:
    now = server.recommend(k=1)["served_by"]["bundle"]
    (other,) = set(versions) - {now}
    server.ask("POST", f"/v1/bundles/{other}:activate")
    wait_until(lambda: answers_of_all(server, other), SWITCH_TIMEOUT_S)
    rungs = Counter(server.recommend(user_id=f"u{n}", k=1)["served_by"]["rung"] for n in range(20))
    assert rungs == {"cached": 20}


def test_bundles_are_listed_read_and_verified(server: Server, versions: tuple[str, str]) -> None:
    listed = server.ask("GET", "/v1/bundles")["bundles"]
    assert {bundle["version"] for bundle in listed} == set(versions)
    assert sum(bundle["active"] for bundle in listed) == 1
    for version in versions:
        assert "space.safetensors" in server.ask("GET", f"/v1/bundles/{version}")["files"]
        assert server.ask("POST", f"/v1/bundles/{version}:verify")["files"] > 5
    assert server.ask("GET", "/v1/bundles/000000000000", expect=404)["type"].endswith("/unknown-bundle")


def test_a_damaged_bundle_is_refused_and_the_running_one_goes_on(
    server: Server, artifacts: Path, versions: tuple[str, str]
) -> None:
    now = server.recommend(k=1)["served_by"]["bundle"]
    (other,) = set(versions) - {now}
    weights = artifacts / other / "space.safetensors"
    whole = weights.read_bytes()
    try:
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        for verb in ("verify", "activate"):
            problem = server.ask("POST", f"/v1/bundles/{other}:{verb}", expect=409)
            assert "space.safetensors is damaged" in problem["detail"]
    finally:
        weights.write_bytes(whole)
    assert answers_of_all(server, now)
