"""Experiments, shadow traffic and online metrics over HTTP, in two workers: what is served, kept and counted."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from server import Server, item_ids, like, wait_until
from tiny import build_tiny

pytestmark = pytest.mark.served(threads=2)

USERS = [f"u{n}" for n in range(40)]
FOLLOWED_S = 60


@pytest.fixture(scope="module")
def other_version(tmp_path_factory: pytest.TempPathFactory, tiny_dataset: Any, tiny_models: Any) -> Path:
    return build_tiny(tiny_dataset, tiny_models, tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture(scope="module")
def bundle(other_version: Path, tiny_bundle: Path) -> Path:
    """The tiny bundle; another lies beside it."""
    return shutil.copytree(tiny_bundle, other_version.parent / tiny_bundle.name)


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """Every user has liked one item."""
    server.send(*(like(f"seen-{user}", user, "i1") for user in USERS))
    return server


def click(slate: Any, user_id: str) -> dict[str, Any]:
    item_id = item_ids(slate)[0]
    event_id = f"click-{slate['slate_id']}"
    return {
        "event_id": event_id,
        "user_id": user_id,
        "item_id": item_id,
        "type": "click",
        "slate_id": slate["slate_id"],
    }


def arm_of(server: Server, user_id: str) -> str | None:
    arm: str | None = server.recommend(user_id=user_id, k=2)["served_by"]["arm"]
    return arm


def test_users_stay_in_their_arms_in_every_worker_and_clicks_count_for_them(
    server: Server, other_version: Path
) -> None:
    arms = [{}, {"bundle": other_version.name}]
    server.ask("POST", "/v1/experiments", {"name": "bundles", "arms": arms, "success_types": ["click"]}, expect=201)
    # The worker that took the call has opened the arm's bundle; the other one is given time to.
    wait_until(lambda: all(arm_of(server, "u1") is not None for _ in range(8)), FOLLOWED_S)
    wait_until(lambda: len({arm_of(server, user) for user in USERS} - {None}) == 2, FOLLOWED_S)

    server.ask("PUT", "/v1/experiments/bundles", {"arms": arms, "success_types": ["click"], "about": "begins"})
    served: dict[str, list[Any]] = defaultdict(list)
    for user in USERS:
        served[user] = [server.recommend(user_id=user, k=5) for _ in range(2)]
    for slates in served.values():
        assert len({slate["served_by"]["arm"] for slate in slates}) == 1
        for slate in slates:
            version = other_version.name if slate["served_by"]["arm"] == "bundles/b" else slate["served_by"]["bundle"]
            assert slate["served_by"]["bundle"] == version
    clickers = [user for user in USERS if served[user][0]["served_by"]["arm"] == "bundles/b"]
    server.send(*(click(served[user][0], user) for user in clickers))

    def counted() -> bool:
        results = server.ask("GET", "/v1/experiments/bundles/results")
        return bool(sum(arm["units"] for arm in results["arms"]) == len(USERS))

    wait_until(counted, 10)
    a, b = server.ask("GET", "/v1/experiments/bundles/results")["arms"]
    assert (b["units"], b["successes"], b["rate"]) == (len(clickers), len(clickers), 1.0)
    assert a["successes"] == 0
    assert b["verdict"] == "undecided"  # of forty users nothing is said

    metrics = server.ask("GET", "/v1/metrics/online?by=arm&by=bundle")["groups"]
    by_arm = {group["arm"]: group for group in metrics}
    assert by_arm["bundles/b"]["bundle"] == other_version.name
    assert by_arm["bundles/b"]["users"] == len(clickers)
    assert 0 < by_arm["bundles/b"]["click_rate"] <= 1
    assert by_arm["bundles/a"]["click_rate"] == 0
    assert 0 < by_arm["bundles/a"]["coverage"] <= 1
    assert by_arm["bundles/a"]["took_ms"]["p95"] > 0

    server.ask("DELETE", "/v1/experiments/bundles", expect=204)
    wait_until(lambda: all(arm_of(server, user) is None for user in USERS[:10]), 10)


@pytest.mark.parametrize(
    ("told", "problem_type"),
    [
        ({"arms": [{}, {"bundle": "0" * 12}]}, "unknown-bundle"),
        ({"arms": [{}, {"placement": "nowhere"}]}, "unknown-placement"),
        ({"arms": [{}, {}], "placements": ["nowhere"]}, "unknown-placement"),
    ],
)
def test_an_experiment_that_names_what_is_not_there_is_refused(
    server: Server, told: dict[str, Any], problem_type: str
) -> None:
    problem = server.ask("POST", "/v1/experiments", {"name": "ghost", **told}, expect=404)
    assert problem["type"].endswith(f"/{problem_type}")
    assert server.ask("GET", "/v1/experiments")["experiments"] == []


def test_slates_served_over_http_are_replayed_with_another_bundle_by_placement(
    server: Server, bundle: Path, other_version: Path, data_dir: Path
) -> None:
    """`penchant replay` beside the running server."""
    server.ask("PUT", "/v1/placements/replayed", {"k": 5, "exploration": 0.5}, expect=201)
    slates = {user: server.recommend(user_id=user, placement="replayed") for user in USERS}
    assert any(item["propensity"] < 1 for slate in slates.values() for item in slate["items"])
    clickers = USERS[::2]
    server.send(*(click(slates[user], user) for user in clickers))

    def replayed(version: str, *told: str) -> tuple[dict[str, float], list[int]]:
        where = ["--bundle-dir", str(bundle), "--data-dir", str(data_dir), *told]
        command = [sys.executable, "-m", "app.cli", "replay", version, "--days", "1", "--outcome", "click", *where]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rows = re.findall(r"^\| (\w+) \| ([\d.]+) \|", done.stdout, re.MULTILINE)
        (counts,) = re.findall(r"(\d+) slates, (\d+) places shown, (\d+) of them", done.stdout)
        return {name: float(value) for name, value in rows}, [int(count) for count in counts]

    def kept() -> bool:
        groups = server.ask("GET", "/v1/metrics/online?by=placement")["groups"]
        return any(group["placement"] == "replayed" and group["slates"] == len(USERS) for group in groups)

    wait_until(kept, 10)
    at_home = ("--placement", "replayed")
    own, (n_slates, n_places, n_own) = replayed(bundle.name, *at_home)
    assert (n_slates, n_places) == (len(USERS), 5 * len(USERS))
    assert own["logged"] == pytest.approx(len(clickers) / n_places, abs=1e-4)
    other, (_, _, n_other) = replayed(other_version.name, *at_home)
    assert n_own > n_other, "a bundle shows more of what it showed itself"
    assert other.keys() == own.keys() == {"logged", "IPS", "SNIPS"}
    server.ask("DELETE", "/v1/placements/replayed", expect=204)


def test_a_candidate_answers_unseen_and_the_report_says_how(server: Server, other_version: Path) -> None:
    path = f"/v1/bundles/{other_version.name}"

    def compared() -> bool:
        slate = server.recommend(user_id="u1", k=5)
        assert slate["served_by"]["bundle"] != other_version.name
        return bool(server.ask("GET", f"{path}/shadow")["compared"] >= 10)

    slates_before = server.ask("GET", "/v1/metrics/online?by=bundle")["groups"]
    server.ask("POST", f"{path}:shadow", {"share": 1.0})
    wait_until(compared, FOLLOWED_S)
    report = server.ask("GET", f"{path}/shadow")
    assert 0 <= report["overlap"] <= 1
    assert report["correlation"] is None or -1 <= report["correlation"] <= 1
    assert report["served_ms"]["p50"] <= report["served_ms"]["p95"]
    assert report["shadow_ms"]["p50"] > 0
    server.ask("POST", f"{path}:shadow", {"share": 0})

    def unseen(groups: list[Any]) -> int:
        return sum(group["slates"] for group in groups if group["bundle"] == other_version.name)

    assert unseen(server.ask("GET", "/v1/metrics/online?by=bundle")["groups"]) == unseen(slates_before)
