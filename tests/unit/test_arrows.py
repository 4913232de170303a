"""The arrows of the house: who may import whom. Read from the code itself, so that a broken one is named."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND_LINE = {"app.cli"}
"""The one module outside `app.offline` that may reach into it, and only inside a command."""


def modules() -> list[tuple[str, Path]]:
    paths = [path for top in ("app", "models") for path in sorted((ROOT / top).rglob("*.py"))]
    return [(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path) for path in paths]


def imports(path: Path, *, at_import_only: bool = False) -> Iterator[str]:
    """Modules named by import statements; those inside functions or `if TYPE_CHECKING` only when asked for all."""
    tree = ast.parse(path.read_text())
    nodes = _executed(tree) if at_import_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _executed(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.If):
            yield from ast.walk(node) if not isinstance(node, ast.ClassDef) else [node]


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def test_nothing_online_imports_the_offline_jobs() -> None:
    broken = [
        (module, name)
        for module, path in modules()
        if not within(module, "app.offline") and module not in COMMAND_LINE
        for name in imports(path)
        if within(name, "app.offline")
    ]
    assert broken == []


def test_models_know_nothing_of_the_app() -> None:
    broken = [
        (module, name)
        for module, path in modules()
        if within(module, "models")
        for name in imports(path)
        if within(name, "app")
    ]
    assert broken == []


@pytest.mark.parametrize("leaf", ["app.domain", "app.errors", "app.settings", "app.machine", "app.history.weights"])
def test_leaves_import_none_of_ours(leaf: str) -> None:
    path = dict(modules())[leaf]
    assert [name for name in imports(path) if within(name, "app") or within(name, "models")] == []


ROOMS_BEHIND_HTTP = (
    *("catalogue", "history", "interests", "filtering", "retrieval", "scoring", "reranking", "explanation", "storage"),
    *("crowd", "placements"),
)


def test_no_room_behind_http_knows_http() -> None:
    broken = [
        (module, name)
        for module, path in modules()
        if any(within(module, f"app.{room}") for room in ROOMS_BEHIND_HTTP) or within(module, "models")
        for name in imports(path)
        if within(name, "fastapi") or within(name, "starlette") or within(name, "app.api")
    ]
    assert broken == []


def test_only_the_composition_root_imports_the_main_path() -> None:
    importers = {m for m, path in modules() for name in imports(path) if within(name, "app.recommender")}
    assert importers <= {"app.wiring"}


@pytest.mark.parametrize("module", ["app.main", "app.cli", "app.serve", "app.settings"])
def test_importing_the_entrances_loads_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys; print([m for m in ('torch', 'faiss', 'transformers', 'polars') if m in sys.modules])"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert outcome.stdout.strip() == "[]"


def test_only_inside_a_command_does_the_command_line_reach_into_the_jobs() -> None:
    path = dict(modules())["app.cli"]
    assert [name for name in imports(path, at_import_only=True) if within(name, "app.offline")] == []


COMPUTING_ROOMS = (
    *("app.wiring", "app.recommender", "app.trained", "app.golden", "app.device", "app.interests", "app.retrieval"),
    *(
        "app.filtering.eligibility",
        "app.filtering.masks",
        "app.scoring",
        "app.explanation",
        "app.catalogue.live",
        "torch",
        "faiss",
        "transformers",
        "models",
    ),
)


def test_the_api_is_free_of_what_computes() -> None:
    broken = [
        (module, name)
        for module, path in modules()
        if within(module, "app.api")
        for name in imports(path, at_import_only=True)
        if any(within(name, room) for room in COMPUTING_ROOMS)
    ]
    assert broken == []


@pytest.mark.parametrize(("room", "may_import"), [("app.storage", {"app.storage", "app.errors"})])
def test_storage_knows_no_room(room: str, may_import: set[str]) -> None:
    broken = [
        (module, name)
        for module, path in modules()
        if within(module, room)
        for name in imports(path)
        if within(name, "app") and not any(within(name, allowed) for allowed in may_import)
    ]
    assert broken == []
