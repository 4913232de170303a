"""Every example of every page runs: against a served catalogue, an answer that refuses fails it. `make docs-test`."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from film_catalogue import prepare
from pages import ADDRESS, Block, blocks, pages
from programs import find_program
from server import Server, item_ids, wait_until

from app.offline.report import REPOSITORY
from app.offline.workshop import Models

LIMIT_S = 180
NAMES = [page.relative_to(REPOSITORY).as_posix() for page in pages()]
SHELL_START = """set -euo pipefail
trap 'echo "stopped in the block of line $LINE" >&2' ERR
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_models: Models) -> Iterator[Server]:
    bundle, data_dir = prepare(tmp_path_factory.mktemp("pages"), tiny_models)
    with Server(bundle, data_dir, redis_url="memory://") as running:
        yield running


def run(command: list[str], code: str, folder: Path, server: Server) -> None:
    """In a folder of the page's own. A status of 400 and more makes curl fail, and its answer is what is shown."""
    (folder / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\nmax-time = 30\n")
    here = code.replace(ADDRESS, f"127.0.0.1:{server.port}")
    done = subprocess.run(
        command,
        input=here,
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CURL_HOME": str(folder), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr[-3_000:]}\n{done.stdout[-3_000:]}"


def of_language(name: str, language: str) -> list[Block]:
    return [block for block in blocks(REPOSITORY / name) if block.language == language]


@pytest.mark.parametrize("name", [name for name in NAMES if of_language(name, "sh")])
def test_shell_blocks_of_a_page_run_one_after_another(name: str, server: Server, tmp_path: Path) -> None:
    """In one shell, so that what a block keeps in a variable is there for the next."""
    script = "".join(f"LINE={block.line}\n{block.code}\necho\n" for block in of_language(name, "sh"))
    run(["bash"], SHELL_START + script, tmp_path, server)


def test_the_shadow_of_the_operating_page_compares_two_bundles(server: Server, tmp_path: Path) -> None:
    """Up to the block that reads the report, which is read here until it holds something."""
    told = [block.code for block in of_language("docs/guide/operating.md", "sh")]
    (report,) = [place for place, code in enumerate(told) if code.rstrip().endswith("/shadow")]
    run(["bash"], SHELL_START + "LINE=0\n" + "\n".join(told[: report + 1]), tmp_path, server)
    (other,) = [bundle for bundle in server.ask("GET", "/v1/bundles")["bundles"] if not bundle["active"]]
    where = f"/v1/bundles/{other['version']}"
    wait_until(lambda: server.ask("GET", f"{where}/shadow")["compared"] > 0, 30)
    server.ask("POST", f"{where}:shadow", {"share": 0})


def snippets(language: str) -> list[tuple[str, Block]]:
    return [(name, block) for name in NAMES for block in of_language(name, language)]


def place(value: object) -> str:
    return f"line {value.line}" if isinstance(value, Block) else str(value)


@pytest.mark.parametrize(("name", "block"), snippets("python"), ids=place)
def test_python_blocks_run(name: str, block: Block, server: Server, tmp_path: Path) -> None:
    run([sys.executable, "-W", "error", "-"], block.code, tmp_path, server)


@pytest.mark.parametrize(("name", "block"), snippets("js"), ids=place)
def test_javascript_blocks_run(name: str, block: Block, server: Server, tmp_path: Path) -> None:
    run([find_program("node", target="node"), "--input-type=module", "-"], block.code, tmp_path, server)


@pytest.mark.parametrize(
    ("share", "text", "holds"),
    [
        (0.5, "year < 1964", lambda film: film["year"] < 1964),
        (0.1, 'categories has "War" and year > 1951', lambda film: "War" in film["categories"] and film["year"] > 1951),
        (0.01, 'title prefix "dark" and year < 1936', lambda film: film["title"][:4] == "Dark" and film["year"] < 1936),
        (0.001, "item_id in ('7', '1100')", lambda film: film["item_id"] in {"7", "1100"}),
    ],
)
def test_what_the_page_on_asking_says_of_few_items_holds(
    server: Server, share: float, text: str, holds: Callable[[dict[str, Any]], bool]
) -> None:
    """What a filter holds for is found however few that is: beside the exact answer, all such films ranked."""
    lines = server.fetch("GET", "/v1/items/export").text.splitlines()
    catalogue = [item | {"year": item["properties"].get("year", 2000)} for item in map(json.loads, lines)]
    kept = [film["item_id"] for film in catalogue if holds(film)]
    assert 0.5 < len(kept) / (share * len(catalogue)) < 1.5
    for user in ("3", "17", "42"):
        asker = {"user_id": user, "context": {"at": "2024-06-03T10:00:00Z", "device": "tv"}}
        parts = [kept[start : start + 500] for start in range(0, len(kept), 500)]
        ranked = [item for part in parts for item in server.ask("POST", "/v1/rank", {**asker, "items": part})["items"]]
        exact = sorted(ranked, key=lambda item: -item["score"])[:100]
        found = item_ids(server.recommend(**asker, k=100, filter=text, seen="always"))
        assert len(found) == len(exact)
        assert len(set(found) & {item["item_id"] for item in exact}) >= 0.95 * len(exact)


def test_an_example_that_the_server_refuses_fails(server: Server, tmp_path: Path) -> None:
    wrong = f"curl -s http://{ADDRESS}/v1/recommendations -H 'content-type: application/json' -d '{{\"k\": 0}}'"
    with pytest.raises(AssertionError, match="line 7"):
        run(["bash"], f"{SHELL_START}LINE=7\n{wrong}\n", tmp_path, server)
