"""What serves needs the core dependencies alone: the API's image installs no extra."""

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1].split():
    sys.modules[name] = None
import app, models
for package in (app, models):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda name: None):
        if not module.name.startswith("app.offline"):
            importlib.import_module(module.name)
print("imported", "app.main" in sys.modules)
"""


def installed_with(requirement: str, seen: set[tuple[str, str]]) -> None:
    """Into `seen`: the distribution and all that it asks for, each with one of the extras it is asked with."""
    told = Requirement(requirement)
    for extra in (*told.extras, ""):
        if told.marker is not None and not told.marker.evaluate({"extra": extra}):
            continue
        key = (canonicalize_name(told.name), extra)
        if key in seen:
            continue
        seen.add(key)
        try:
            asked = requires(told.name) or []
        except PackageNotFoundError:
            continue
        for line in asked:
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                one.marker = None
                installed_with(str(one), seen)


def test_all_that_serves_is_imported_with_the_core_dependencies_alone() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    seen: set[tuple[str, str]] = set()
    for requirement in project["dependencies"]:
        installed_with(requirement, seen)
    there = {name for name, _ in seen} | {"pip", "setuptools"}
    others = {
        module
        for module, owners in packages_distributions().items()
        if module.isidentifier()
        and module not in {"app", "models"}
        and not {canonicalize_name(o) for o in owners} & there
    }
    assert {"polars", "peft", "matplotlib", "pytest"} <= others
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, " ".join(sorted(others))],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout.split() == ["imported", "True"]
