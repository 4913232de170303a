"""`make bench-import`: 50,000 items imported while slates are served, and what that does to the slates' latency.

Starts the real server on the bundle of the settings with a data folder of its own, asks for slates by words and for a
known user one after the other, first with nothing else to do, then during the import, and writes docs/reports/import.
"""

import json
import random
import sys
import tempfile
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
import server as e2e
from server import Server

from app.offline.report import REPOSITORY, write_report
from app.settings import Settings

N_ITEMS = 50_000
QUIET_S = 20.0
CLIENTS = 2
WORDS = [
    "quiet",
    "storm",
    "river",
    "city",
    "winter",
    "letter",
    "stranger",
    "garden",
    "robot",
    "island",
    "summer",
    "war",
    "road",
    "music",
    "night",
    "love",
    "horse",
    "train",
    "ghost",
    "doctor",
    "desert",
    "dream",
    "king",
    "school",
    "mountain",
    "secret",
    "family",
    "ocean",
    "detective",
    "circus",
]
CATEGORIES = ("Drama", "Comedy", "Sci-Fi", "Romance", "Thriller", "Documentary")


def make_items(n_items: int, seed: int = 0) -> list[dict[str, Any]]:
    """Titles of four words, two categories, a sentence of twelve words: about 30 tokens."""
    rng = random.Random(seed)
    return [
        {
            "item_id": f"bench-{n}",
            "title": " ".join(rng.choices(WORDS, k=4)).title(),
            "categories": rng.sample(CATEGORIES, 2),
            "description": " ".join(rng.choices(WORDS, k=12)),
            "properties": {"year": rng.randint(1950, 2025)},
        }
        for n in range(n_items)
    ]


class Load:
    """Clients that ask for one slate after the other, and what came of it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(CLIENTS)]
        self.took_ms: list[float] = []
        self.statuses: list[int] = []

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        rng = random.Random(number)
        with httpx2.Client(timeout=60) as client:
            for n in count():
                if self._over.is_set():
                    return
                words = {"words": " ".join(rng.choices(WORDS, k=3)), "k": 20}
                body = words if n % 2 else {"user_id": "bench", "k": 20, "words": words["words"]}
                started = time.perf_counter()
                self.statuses.append(client.post(f"{self._url}/v1/recommendations", json=body).status_code)
                self.took_ms.append((time.perf_counter() - started) * 1_000)


def measure(server: Server, items: list[dict[str, Any]]) -> dict[str, float]:
    server.send(*({"event_id": f"b{n}", "user_id": "bench", "item_id": str(n), "type": "like"} for n in range(1, 20)))
    with Load(server.url) as quiet:
        time.sleep(QUIET_S)
    lines = "\n".join(json.dumps(item) for item in items)
    with Load(server.url) as busy:
        started = time.monotonic()
        headers = {"Content-Type": "application/jsonl"}
        job = httpx2.post(f"{server.url}/v1/items/import", content=lines, headers=headers, timeout=300).json()
        received_s = time.monotonic() - started
        while (job := server.ask("GET", f"/v1/items/import/{job['job_id']}"))["state"] == "running":
            time.sleep(1)
        import_s = time.monotonic() - started
    with Load(server.url) as after:
        time.sleep(QUIET_S)
    figures = {
        "items": len(items),
        "created": job["n_created"],
        "failed_lines": job["n_failed"],
        "receive_s": round(received_s, 2),
        "import_s": round(import_s, 1),
        "items_per_s": round(len(items) / import_s, 1),
    }
    for name, load in (("before", quiet), ("during", busy), ("after", after)):
        figures[f"{name}.slates"] = len(load.statuses)
        figures[f"{name}.failed_requests"] = sum(status != 200 for status in load.statuses)
        for quantile in (50, 95, 99):
            figures[f"{name}.p{quantile}_ms"] = round(float(np.percentile(load.took_ms, quantile)), 1)
        figures[f"{name}.max_ms"] = round(max(load.took_ms), 1)
    return figures


def to_markdown(figures: dict[str, float]) -> str:
    columns = ("slates", "failed_requests", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    head = "| Import | Slates | Failed | p50, ms | p95, ms | p99, ms | Longest, ms |\n|---|--:|--:|--:|--:|--:|--:|\n"
    rows = [
        f"| {name} | " + " | ".join(f"{figures[f'{name}.{column}']:,}" for column in columns) + " |"
        for name in ("before", "during", "after")
    ]
    return (
        f"{figures['created']:,.0f} items created of {figures['items']:,.0f} lines in {figures['import_s']:,} s, "
        f"{figures['items_per_s']:,} a second. One worker; {CLIENTS} clients ask for one slate of 20 after another, "
        "half of them by words alone, half for a user with 19 events and words.\n\n" + head + "\n".join(rows)
    )


def main(n_items: int) -> None:
    e2e.START_TIMEOUT_S = 300.0  # a bundle of a real size, on a machine that may be busy
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Settings().bundle_dir.absolute(), Path(folder) / "var") as server,
    ):
        figures = measure(server, make_items(n_items))
    body = to_markdown(figures)
    write_report(REPOSITORY / "docs/reports", "import", "Import under load", "make bench-import", figures, body)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else N_ITEMS)
