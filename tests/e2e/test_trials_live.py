"""Experiments, shadow traffic and online metrics over HTTP, in two workers: what is served, kept and counted."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from server import Server, everywhere, item_ids, like, put_placement, wait_until
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
    """Every user has liked one item, each another."""
    server.send(*(like(f"seen-{user}", user, f"i{n}") for n, user in enumerate(USERS)))
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


def in_arms(server: Server, **request: Any) -> Any:
    """The slate of an arm: a worker that does not know the experiment yet is asked again."""
    slates: list[Any] = []
    wait_until(lambda: bool(slates.append(server.recommend(**request)) or slates[-1]["served_by"]["arm"]), FOLLOWED_S)
    return slates[-1]


def test_users_stay_in_their_arms_in_every_worker_and_clicks_count_for_them(
    server: Server, other_version: Path
) -> None:
    arms = [{}, {"bundle": other_version.name}]
    server.ask("POST", "/v1/experiments", {"name": "bundles", "arms": arms, "success_types": ["click"]}, expect=201)
    wait_until(everywhere(lambda: None not in {arm_of(server, user) for user in USERS[:10]}), FOLLOWED_S)

    server.ask("PUT", "/v1/experiments/bundles", {"arms": arms, "success_types": ["click"], "about": "begins"})
    served: dict[str, list[Any]] = defaultdict(list)
    for user in USERS:
        served[user] = [in_arms(server, user_id=user, k=5) for _ in range(4)]
    for slates in served.values():
        assert len({slate["served_by"]["arm"] for slate in slates}) == 1
        for slate in slates:
            version = other_version.name if slate["served_by"]["arm"] == "bundles/b" else slate["served_by"]["bundle"]
            assert slate["served_by"]["bundle"] == version
    clickers = [user for user in USERS if served[user][0]["served_by"]["arm"] == "bundles/b"]
    server.send(*(click(served[user][0], user) for user in clickers))

    def counted() -> bool:
        a, b = server.ask("GET", "/v1/experiments/bundles/results")["arms"]
        return bool(a["units"] + b["units"] == len(USERS) and b["successes"] >= len(clickers))

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
    wait_until(everywhere(lambda: {arm_of(server, user) for user in USERS[:10]} == {None}), 10)


def test_arms_are_rules_and_knobs_too_and_a_session_keeps_its_own(server: Server) -> None:
    for name, k in (("shelf", 6), ("short", 3)):
        put_placement(server, name, k=k)
    arms_told = [{}, {"placement": "short"}, {"diversity": 1}]
    server.ask("POST", "/v1/experiments", {"name": "looks", "placements": ["shelf"], "arms": arms_told}, expect=201)
    asked = {"history": [{"item_id": "i1", "type": "like"}], "context": {"at": "2024-06-03T10:00:00Z"}}
    by_score = item_ids(server.recommend(k=6, **asked))
    expected = {
        "looks/a": by_score,
        "looks/b": by_score[:3],
        "looks/c": item_ids(server.recommend(k=6, diversity=1, **asked)),
    }
    assert expected["looks/c"] != by_score
    arms = set()
    for session in (f"s{n}" for n in range(20)):
        slates = [in_arms(server, placement="shelf", session_id=session, **asked) for _ in range(4)]
        (arm,) = {slate["served_by"]["arm"] for slate in slates}
        assert [item_ids(slate) for slate in slates] == [expected[arm]] * 4
        arms.add(arm)
    assert arms == expected.keys()
    for user in USERS[:10]:
        told = [in_arms(server, placement="shelf", user_id=user, session_id=f"s{n}") for n in range(4)]
        assert len({slate["served_by"]["arm"] for slate in told}) == 1, "it is the user who counts, where there is one"
    assert server.recommend(placement="shelf")["served_by"]["arm"] is None
    assert server.recommend(session_id="s1")["served_by"]["arm"] is None
    server.ask("DELETE", "/v1/experiments/looks", expect=204)


def test_what_comes_of_arms_is_told_over_time_and_judged_only_when_it_is_enough(server: Server) -> None:
    """All who are served arm b buy, nobody else does: with a few of them that still decides nothing."""
    put_placement(server, "shop", k=2)
    told = {"placements": ["shop"], "arms": [{}, {"novelty": 0.5}], "success_types": ["purchase"]}
    server.ask("POST", "/v1/experiments", {"name": "buying", **told}, expect=201)
    served: dict[str, list[Any]] = defaultdict(list)

    def visit(sessions: range) -> datetime:
        """When it was over and counted."""
        came: dict[str, list[Any]] = defaultdict(list)
        for n in sessions:
            slate = in_arms(server, placement="shop", session_id=f"visit-{n}")
            came[slate["served_by"]["arm"]].append(slate)
        events = [
            click(slate, f"{arm}-{n}") | {"type": "purchase" if arm == "buying/b" else "click"}
            for arm, slates in came.items()
            for n, slate in enumerate(slates)
            if arm == "buying/b" or n % 2
        ]
        over = datetime.now(UTC)
        for arm, slates in came.items():
            served[arm] += slates
        server.send(*events)
        wait_until(
            lambda: [arm["slates"] for arm in results()["arms"]] == [len(served[arm]) for arm in sorted(served)], 10
        )
        return over

    def results() -> Any:
        return server.ask("GET", "/v1/experiments/buying/results")

    def groups(until: datetime, *by: str, **more: Any) -> list[Any]:
        query = {"until": until.isoformat(), "window_s": 600, "by": by, **more}
        found = server.fetch("GET", "/v1/metrics/online", params=query).json()["groups"]
        return [group for group in found if (group["arm"] or "").startswith("buying/")]

    first = visit(range(60))
    few = results()
    assert [(arm["rate"], arm["verdict"]) for arm in few["arms"]] == [(0, "base"), (1, "undecided")]
    assert (few["arms"][1]["interval"], few["may_stop"]) == ({"low": -1, "high": 1}, False)
    n_first = {arm: len(slates) for arm, slates in served.items()}

    last = visit(range(60, 260))
    enough = results()
    base, other = enough["arms"]
    assert min(base["units"], other["units"]) >= 100
    assert 0.5 < other["interval"]["low"] < other["difference"] == 1 <= other["interval"]["high"]
    assert (other["verdict"], enough["may_stop"], enough["balanced"]) == ("better", True, True)

    n_all = {arm: len(slates) for arm, slates in served.items()}
    assert {group["arm"]: group["slates"] for group in groups(first, "arm")} == n_first
    by_all = {group["arm"]: group for group in groups(last, "arm", "placement", "bundle")}
    bundle = served["buying/a"][0]["served_by"]["bundle"]
    assert {arm: group["slates"] for arm, group in by_all.items()} == n_all
    assert {(group["placement"], group["bundle"]) for group in by_all.values()} == {("shop", bundle)}
    assert [by_all[arm]["conversion_rate"] for arm in sorted(by_all)] == [0, 1]
    assert by_all["buying/a"]["click_rate"] == pytest.approx(0.5, abs=0.02)
    assert by_all["buying/a"]["item_click_rate"] == pytest.approx(by_all["buying/a"]["click_rate"] / 2)
    (clicked,) = (group for group in groups(last, "arm", conversion_types="click") if group["arm"] == "buying/a")
    assert clicked["conversion_rate"] == clicked["click_rate"]

    parts = groups(last, "arm", buckets=500, window_s=60)
    assert len({group["at"] for group in parts}) > 2
    assert [group["at"] for group in parts] == sorted(group["at"] for group in parts)
    for arm, n in n_all.items():
        early = [group for group in parts if group["arm"] == arm and datetime.fromisoformat(group["at"]) <= first]
        assert sum(group["slates"] for group in parts if group["arm"] == arm) == n
        assert n_first[arm] <= sum(group["slates"] for group in early) < n
    server.ask("DELETE", "/v1/experiments/buying", expect=204)


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
    put_placement(server, "replayed", k=5, exploration=0.5)
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
