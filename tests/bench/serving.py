"""What serving costs, beside what the bare framework costs: `make bench` writes docs/reports/serving.md and .json.

The served bundle and its users are the ones of the settings, `make demo`'s where nothing is said, in a copy of the
database, so that the events sent are not kept. Server and load share the machine: requests a second depend on what
else it does, CPU time a request hardly does.
"""

import argparse
import itertools
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import httpx2
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
from load import Measured, measure
from server import START_TIMEOUT_S, Server, wait_until

from app.bundle import open_bundle
from app.offline.report import markdown_table, write_report
from app.settings import Settings
from app.storage.database import database_path

ASK, TELL = "/v1/recommendations", "/v1/events"
FLOOR = "bare FastAPI route"
HISTORY_EVENTS = 20
WARM_USERS = 40
"""Few enough that each has been encoded when the warm-up is over."""
WARM_UP_S = 5


@dataclass(frozen=True)
class Scenario:
    """bodies: JSON, sent in turn. about: for the report's table."""

    name: str
    about: str
    path: str
    bodies: Sequence[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--reports", type=Path, default=Path("docs/reports"))
    told = parser.parse_args()
    settings = Settings()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = folder / "var/penchant.sqlite3"
        copy_database(database_path(settings.database_url), database)
        scenarios = make_scenarios(database)

        def load(url: str, scenario: Scenario, pid: int) -> Measured:
            print(f"{scenario.name} ...", flush=True)
            sizes = {"connections": told.connections, "seconds": told.seconds}
            measure(url, scenario.path, scenario.bodies, pid, folder, connections=told.connections, seconds=WARM_UP_S)
            return measure(url, scenario.path, scenario.bodies, pid, folder, **sizes)

        measured = {FLOOR: measure_floor(lambda url, pid: load(url, scenarios[0], pid), folder)}
        server = stack.enter_context(Server(settings.bundle_dir.resolve(), database.parent, encode_budget_ms=60_000))
        assert server.process is not None
        measured |= {scenario.name: load(server.url, scenario, server.process.pid) for scenario in scenarios}
        about = open_bundle(settings.bundle_dir).manifest
    bundle = f"data set {about.dataset}, {about.n_items:,} items, recipe {about.recipe}"
    write(told.reports, measured, scenarios, bundle, f"{told.connections} connections, {told.seconds} s each")


def copy_database(source: Path, target: Path) -> None:
    if not source.is_file():
        raise SystemExit(f"no database at {source}: run `make demo` first, or set PENCHANT_DATA_DIR")
    target.parent.mkdir(parents=True)
    for path in source.parent.glob(f"{source.name}*"):
        shutil.copy(path, target.parent / path.name)


def make_scenarios(database: Path) -> list[Scenario]:
    """From the stored events: the same database gives the same bodies."""
    users, events = read_events(database)
    told = [json.dumps({"user_id": user, "k": 20}) for user in users[:WARM_USERS]]
    strangers = [
        json.dumps({"history": [{"item_id": item, "type": "like"} for item in items], "k": 20})
        for items in itertools.islice((events[user][-HISTORY_EVENTS:] for user in users), 500)
    ]
    liked = [
        json.dumps({"events": [{"event_id": f"bench-{n}", "user_id": f"b{n % 50}", "item_id": item, "type": "like"}]})
        for n, item in enumerate(itertools.islice(itertools.cycle(events[users[0]]), 200_000))
    ]
    return [
        Scenario("known user, cached", f"{WARM_USERS} users in turn, all asked before, k 20", ASK, told),
        Scenario("history told", f"{HISTORY_EVENTS} events in the request, each encoded anew, k 20", ASK, strangers),
        Scenario("nobody", "what is popular now, k 20", ASK, ['{"k": 20}']),
        Scenario("one event", "stored, on disk before the answer", TELL, liked),
    ]


def read_events(database: Path) -> tuple[list[str], dict[str, list[str]]]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT user_id, item_id FROM events ORDER BY user_id, at, seq").fetchall()
    events: dict[str, list[str]] = {}
    for user, item in rows:
        events.setdefault(user, []).append(item)
    return list(events), events


def measure_floor(load: Callable[[str, int], Measured], folder: Path) -> Measured:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("floor.py")), str(port)])

    def answers() -> bool:
        try:
            return httpx2.post(url + ASK, json={}, timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        wait_until(answers, START_TIMEOUT_S)
        return load(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def write(
    reports: Path, measured: Mapping[str, Measured], scenarios: Sequence[Scenario], bundle: str, load: str
) -> None:
    floor = measured[FLOOR]
    about = {FLOOR: "a body of the same form in, a slate's worth of JSON out", **{s.name: s.about for s in scenarios}}
    table = pl.DataFrame(
        [
            {
                "Load": name,
                "Requests a second": f"{found.requests_per_s:,.0f}",
                "CPU ms a request": f"{found.cpu_ms:.2f}",
                "Floors": f"{found.cpu_ms / floor.cpu_ms:.1f}",
                "p50 ms": f"{found.p50_ms:.1f}",
                "p99 ms": f"{found.p99_ms:.1f}",
                "What it is": about[name],
            }
            for name, found in measured.items()
        ]
    )
    figures = {
        f"serving.{name.replace(', ', ' ').replace(' ', '_').lower()}.{figure}": value
        for name, found in measured.items()
        for figure, value in vars(found).items()
    }
    busy = f"{os.getloadavg()[0]:.1f}"
    body = f"""One worker with one thread, and {load} in turn, each waiting for its answer, from the same machine.
Bundle: {bundle}. The machine's load average at the end was {busy}: what else it did lowers the requests a
second and raises the times, the CPU time a request hardly. A floor is the CPU time of the bare route.
`encode_budget_ms` is a minute here, so that no answer falls to a lower rung.

{markdown_table(table)}"""
    write_report(reports, "serving", "Serving", "make bench", figures, body)
    print(body)


if __name__ == "__main__":
    main()
