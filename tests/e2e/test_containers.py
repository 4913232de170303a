"""The containers' files: linted, and what docker-compose.yml starts works together, without an engine."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2
import pytest
from containers import REPOSITORY, Compose, health_command
from markdown_it import MarkdownIt
from programs import find_program
from server import START_TIMEOUT_S, wait_until
from stand_ins import stand_in_base_model, stand_in_movielens

from app import telemetry

KEY = "a-key-for-the-test"
TOLD = {"PENCHANT_API_KEY": KEY, "PENCHANT_RECIPE": "tiny"}
PAGE = REPOSITORY / "docs/guide/containers.md"
DASHBOARD = REPOSITORY / "docker/grafana/dashboards/penchant.json"
ALERTS = REPOSITORY / "docker/prometheus/alerts.yml"
TOOLS = Path(sys.executable).parent


def check(*command: str) -> None:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfiles_pass_the_linter() -> None:
    check(str(TOOLS / "hadolint"), "docker/api.Dockerfile", "docker/offline.Dockerfile")


def test_the_compose_file_fits_the_compose_specification() -> None:
    check(str(TOOLS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def test_the_compose_file_passes_the_security_linter() -> None:
    check(str(TOOLS / "compose-lint"), "docker-compose.yml")


def test_every_container_of_ours_is_read_only_without_capabilities_and_published_to_loopback_alone() -> None:
    compose = Compose(Path("/nowhere"), {"PENCHANT_API_KEY": KEY})
    for service in compose.document["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for name in ("api", "offline"):
        assert "USER 10001:10001" in (REPOSITORY / f"docker/{name}.Dockerfile").read_text()


def test_compose_refuses_to_start_without_a_key() -> None:
    with pytest.raises(KeyError, match="choose a key"):
        _ = Compose(Path("/nowhere"), {}).document


def queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    guide = (REPOSITORY / "docs/guide/metrics.md").read_text()
    return [*asked, ALERTS.read_text(), *re.findall(r"^    (.*penchant_.*)$", guide, re.MULTILINE)]


@pytest.mark.parametrize("query", queries(), ids=lambda query: query[:60])
def test_queries_ask_for_metrics_and_labels_that_the_service_exports(query: str) -> None:
    metrics = telemetry._metrics()
    made = [getattr(metrics, field.name) for field in fields(metrics) if field.name != "registry"]
    labels = {metric.describe()[0].name: set(metric._labelnames) for metric in made}
    series = {
        name + end: names for name, names in labels.items() for end in ("", "_total", "_bucket", "_sum", "_count")
    }

    for name, selector in re.findall(r"\b(penchant_\w+)(\{[^}]*\})?", query):
        assert name in series
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", selector)) <= series[name] | {"le"}


def test_the_rules_fire_on_their_faults_and_only_then() -> None:
    promtool = find_program("promtool", target="prometheus")
    check(promtool, "check", "config", "--syntax-only", "docker/prometheus/prometheus.yml")
    check(promtool, "test", "rules", "docker/prometheus/alerts.test.yml")


class Running:
    """The services that a test may talk to."""

    def __init__(self, compose: Compose, logs: Path) -> None:
        self.compose, self.logs = compose, logs
        self.url = f"http://127.0.0.1:{compose.port('api')}"

    def ask(self, path: str, body: Any) -> Any:
        answer = httpx2.post(self.url + path, json=body, headers={"X-API-Key": KEY}, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def is_personal(self, user_id: str) -> bool:
        return self.ask("/v1/recommendations", {"user_id": user_id})["served_by"]["rung"] in {"fresh", "cached"}

    def describe(self) -> str:
        return "\n".join(log.read_text(errors="replace")[-2_000:] for log in self.logs.glob("*.log"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, bert_folder: Path) -> Iterator[Running]:
    """Valkey and the API, after the offline job: the demo, on tiny stand-ins for what it would fetch."""
    root = tmp_path_factory.mktemp("compose")
    compose = Compose(root, {**TOLD, "LOAD_USERS": "12", "LOAD_TIME": "5s"})
    stand_in_base_model(compose.path("/srv/var"), bert_folder)
    stand_in_movielens(compose.path("/srv/var"))
    _install_programs(compose)
    made = compose.run("offline", compose.service("offline")["command"])
    assert made.returncode == 0, made.stderr
    with ExitStack() as stack:
        words = ("--port", str(compose.port("valkey")), "--bind", "127.0.0.1")
        stack.callback(end, compose.start("valkey", root / "valkey.log", *words))
        stack.callback(end, compose.start("api", root / "api.log"))
        up = Running(compose, root)
        wait_until(lambda: is_healthy(compose), START_TIMEOUT_S, up.describe)
        yield up


def _install_programs(compose: Compose) -> None:
    """`penchant` as pip makes it, and a Redis under the name of Valkey where only that is here."""
    redis_server = find_program("valkey-server", "redis-server", target="redis-server")
    bin_folder = compose.path("/bin")
    (bin_folder / "penchant").write_text(f"#!{sys.executable}\nfrom app.cli import main\nmain()\n")
    (bin_folder / "penchant").chmod(0o755)
    (bin_folder / "valkey-server").symlink_to(redis_server)


def is_healthy(compose: Compose) -> bool:
    return subprocess.run(health_command(compose), capture_output=True, check=False).returncode == 0


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(30)


def test_the_api_serves_what_the_offline_job_left_in_the_volumes(running: Running) -> None:
    assert len(running.ask("/v1/recommendations", {"user_id": "u1", "k": 5})["items"]) == 5
    wait_until(lambda: running.is_personal("u1"), 30)  # the first encode of a process may be past its budget


def test_own_data_is_served_alone_and_the_next_start_leaves_it_as_it_is(
    running: Running, tmp_path: Path, bert_folder: Path
) -> None:
    """The commands of containers.md on the tables of the guide to own data."""
    guide = fences("your-own-data.md")
    subprocess.run([sys.executable, "-"], input=guide["python"], cwd=tmp_path, text=True, check=True)
    (tmp_path / "shop.toml").write_text(guide["toml"])
    (told,) = re.findall(r"^export PENCHANT_API_KEY.*?^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.partition(" offline ")[2] for line in told.splitlines() if line.startswith("docker compose run")]
    assert len(lines) == 3

    shop = Compose(tmp_path / "shop", TOLD)
    shop.site = running.compose.site
    stand_in_base_model(shop.path("/srv/var"), bert_folder)
    _install_programs(shop)
    for line in lines:
        words = [*line.replace("/tables", str(tmp_path)).split(), *(["--recipe", "tiny"] if "train" in line else [])]
        done = shop.run("offline", words)
        assert done.returncode == 0, done.stderr
    current = shop.path("/srv/artifacts") / "current"
    before = current.resolve()
    assert "32 items and 720 events were new" in done.stdout
    assert "are served too" not in done.stdout

    again = shop.run("offline", shop.service("offline")["command"])
    assert again.returncode == 0, again.stderr
    assert "is a bundle of books, not of the demo" in " ".join(again.stdout.split())
    assert current.resolve() == before


def fences(page: str) -> dict[str, str]:
    tokens = MarkdownIt().parse((REPOSITORY / "docs/guide" / page).read_text())
    return {token.info: token.content for token in tokens if token.type == "fence"}


def test_interest_vectors_are_cached_in_the_valkey_of_compose(running: Running) -> None:
    from redis import Redis

    wait_until(lambda: running.is_personal("u2"), 30)
    with Redis(port=running.compose.port("valkey")) as client:
        wait_until(lambda: any(b"uv:" in key for key in client.scan_iter()), 5)
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}


def test_the_image_holds_every_file_of_the_program(running: Running) -> None:
    for top in ("app", "models"):
        told = {
            path.relative_to(REPOSITORY) for path in (REPOSITORY / top).rglob("*.*") if "__pycache__" not in path.parts
        }
        packed = {path.relative_to(running.compose.site) for path in (running.compose.site / top).rglob("*.*")}
        assert {path for path in told - packed if path.suffix != ".md"} == set()


def test_log_lines_are_json(running: Running) -> None:
    lines = (running.logs / "api.log").read_text().splitlines()
    assert {"event", "level", "timestamp"} <= json.loads(lines[-1]).keys()


def test_without_the_key_nothing_is_answered(running: Running) -> None:
    assert httpx2.post(f"{running.url}/v1/recommendations", json={}, timeout=30).status_code == 401


def test_the_load_profile_runs_without_a_failed_request(running: Running) -> None:
    locust = running.compose.start("locust", running.logs / "locust.log", "--json")
    assert locust.wait(60) == 0, running.describe()
    said = (running.logs / "locust.log").read_text()
    figures, _ = json.JSONDecoder().raw_decode(said[said.index("[\n") :])
    assert {figure["name"] for figure in figures} >= {"/v1/recommendations", "/v1/events"}
    assert sum(figure["num_requests"] for figure in figures) > 10


def test_prometheus_scrapes_the_api_with_the_key_and_answers_the_dashboard(running: Running) -> None:
    prometheus = find_program("prometheus", target="prometheus")
    folder = running.logs / "prometheus"
    shutil.copytree(REPOSITORY / "docker/prometheus", folder)
    (folder / "key").write_text(KEY)
    config = (folder / "prometheus.yml").read_text()
    for told, here in {"15s": "1s", "/run/secrets/api_key": f"{folder}/key", "api:8000": running.url[7:]}.items():
        assert told in config
        config = config.replace(told, here)
    (folder / "prometheus.yml").write_text(config)
    port = running.compose.port("prometheus")
    inside = {"/etc/prometheus": str(folder), "=/prometheus": f"={folder}/data"}
    words = running.compose.service("prometheus")["command"]
    for there, here in inside.items():
        words = [word.replace(there, here) for word in words]
    with (running.logs / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([prometheus, *words, f"--web.listen-address=127.0.0.1:{port}"], stderr=log)

    def query(told: str) -> Any:
        answer = httpx2.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": told}, timeout=10)
        if answer.status_code == 503:  # it reads its own log first
            return []
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["result"]

    def is_scraped() -> bool:
        try:
            return [sample["value"][1] for sample in query('up{job="penchant"}')] == ["1"]
        except httpx2.TransportError:
            return False

    try:
        wait_until(is_scraped, 30, running.describe)
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            for target in panel["targets"]:
                query(target["expr"].replace("$__rate_interval", "1m"))
        assert query("penchant_items_live")[0]["value"][1] == "60"
        assert query("penchant_build_info == 1")
    finally:
        end(process)
