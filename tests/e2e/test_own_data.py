"""The guide to own data, from the first table to the second training: its very commands, on a tiny base model."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from markdown_it import MarkdownIt
from pages import ADDRESS
from server import START_TIMEOUT_S, Server, wait_until
from stand_ins import stand_in_base_model

from app.bundle import Manifest, list_bundles
from app.offline.report import REPOSITORY

pytestmark = pytest.mark.slow

GUIDE = REPOSITORY / "docs/guide/your-own-data.md"
BOOKS = {f"b{n:02}" for n in range(32)}
LIMIT_S = 300


class Reader:
    """Somebody who types the page into a shell, in a folder that has nothing of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = Server(Path(), folder).port
        self.said: dict[str, str] = {}
        fences = [token for token in MarkdownIt().parse(GUIDE.read_text(encoding="utf-8")) if token.type == "fence"]
        (program,) = [token.content for token in fences if token.info == "python"]
        (folder / "make_shop.py").write_text(program)
        self._blocks = [token.content for token in fences if token.info == "sh"]
        self._exports = "\n".join(block for block in self._blocks if block.startswith("export "))
        self._environment = {
            "PATH": f"{_programs(folder / 'bin')}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(REPOSITORY),
            "PENCHANT_PORT": str(self.port),
            "PENCHANT_THREADS": "1",  # two that wait for a busy core take five times as long over a tiny model
            "OMP_NUM_THREADS": "1",
            "PENCHANT_DEVICE": "cpu",
            "PENCHANT_ENCODE_BUDGET_MS": "30000",
            "HOME": str(folder),
        }

    def block(self, start: str) -> str:
        (found,) = [block for block in self._blocks if block.startswith(start)]
        return found

    def type(self, text: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail"],
            input=f"{self._exports}\n{text.replace(ADDRESS, f'127.0.0.1:{self.port}')}",
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stderr[-3_000:]}\n{done.stdout[-3_000:]}"
        return done.stdout + done.stderr

    def start(self, command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "server.log").open("wb") as log:
            return subprocess.Popen(
                ["bash", "-c", f"{self._exports}\nexec {command}"],
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def ask(self, path: str, body: Any) -> Any:
        answer = httpx2.post(f"http://127.0.0.1:{self.port}{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def is_ready(self) -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    def bundles(self) -> list[Manifest]:
        return list_bundles(self.folder / "shop/artifacts")


def _programs(folder: Path) -> Path:
    folder.mkdir()
    starts = {"python3": f'exec {sys.executable} "$@"', "penchant": f'exec {sys.executable} -m app.cli "$@"'}
    for name, line in starts.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, bert_folder: Path) -> Iterator[Reader]:
    """Everything up to `penchant serve`, which runs."""
    reader = Reader(tmp_path_factory.mktemp("reader"))
    stand_in_base_model(reader.folder / "shop/var", bert_folder)
    reader.type("python3 make_shop.py")
    for start in ("penchant data clean orders.csv", "penchant train books "):
        reader.said[start] = reader.type(reader.block(start))
    version = "VERSION=$(penchant bundle list | cut -d ' ' -f 1)\n"
    reader.said["evaluate"] = reader.type(version + reader.block("penchant bundle list").replace("VERSION", "$VERSION"))
    load, serve = reader.block("penchant data load").splitlines()
    reader.said["load"] = reader.type(load)
    process = reader.start(serve)
    try:
        wait_until(reader.is_ready, START_TIMEOUT_S, (reader.folder / "server.log").read_text)
        yield reader
    finally:
        process.terminate()
        process.wait(30)


def test_all_tables_are_read_and_all_that_is_made_lies_in_the_folders_of_the_page(reader: Reader) -> None:
    assert "32 items and 720 events were new" in reader.said["load"]
    assert "are served too" not in reader.said["load"]
    assert [(bundle.dataset, bundle.n_items) for bundle in reader.bundles()] == [("books", 32)]
    assert (reader.folder / "docs/reports/evaluation.md").is_file()
    assert not (reader.folder / "var").exists()
    assert not (reader.folder / "artifacts").exists()


def test_the_pages_questions_are_answered_with_books_alone(reader: Reader) -> None:
    reader.type(reader.block("curl"))
    known = reader.ask("/v1/recommendations", {"user_id": "reader-0", "k": 20, "context": {"device": "phone"}})
    said = reader.ask("/v1/recommendations", {"words": "a robot story", "k": 32})
    assert known["served_by"]["rung"] in {"fresh", "cached"}
    assert {item["item_id"] for item in known["items"]} <= BOOKS
    assert {item["item_id"] for item in said["items"]} == BOOKS


def test_the_next_training_learns_what_was_told_to_the_server_and_is_let_to_answer(reader: Reader) -> None:
    bought = {"event_id": "own-1", "user_id": "newcomer", "item_id": "b03", "type": "purchase"}
    reader.ask("/v1/events", {"events": [bought | {"context": {"place": "train"}}]})
    told = " ".join(reader.type(reader.block("penchant events export")).split())
    assert "721 events in live.parquet, 32 items in live.jsonl" in told
    (version,) = re.findall(r"bundle ([0-9a-f]{12}) at", told)
    assert {bundle.version: bundle.dataset for bundle in reader.bundles()}[version] == "books-live"
    form = json.loads((reader.folder / f"shop/artifacts/{version}/space.json").read_text())
    assert form["context"] == {"device": ["laptop", "phone"], "place": ["train"]}
    assert reader.ask("/v1/recommendations", {"k": 1})["served_by"]["bundle"] != version
    reader.ask(f"/v1/bundles/{version}:activate", None)
    assert reader.ask("/v1/recommendations", {"k": 1})["served_by"]["bundle"] == version


def test_another_data_set_in_the_same_store_is_warned_of(reader: Reader, tmp_path: Path) -> None:
    films, ratings = tmp_path / "films.csv", tmp_path / "ratings.csv"
    films.write_text("item_id,title\n" + "".join(f"film-{n},Film {n}\n" for n in range(40)))
    ratings.write_text("user_id,item_id,at,type\nu,film-1,2025-01-01T00:00:00Z,like\n")
    reader.type(f"penchant data clean {ratings} {films} --name films")
    said = " ".join(reader.type("penchant data load films --data-dir shop/var").split())
    assert "32 of 72 items there are not of films, and are served too: give each catalogue its own" in said
