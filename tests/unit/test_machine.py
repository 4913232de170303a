import os
import platform
from pathlib import Path

import pytest

from app.machine import describe_machine, usable_cores, usable_memory_bytes

AFFINITY = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def cgroup(folder: Path, **files: str) -> Path:
    """A cgroup folder; "__" in a name is a slash."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu.max": "max 100000\n"}, AFFINITY),
        ({"cpu__cpu.cfs_quota_us": "25000\n", "cpu__cpu.cfs_period_us": "100000\n"}, 0.25),
        ({"cpu__cpu.cfs_quota_us": "-1\n", "cpu__cpu.cfs_period_us": "100000\n"}, AFFINITY),
        ({}, AFFINITY),
    ],
)
def test_usable_cores_are_held_by_the_quota(tmp_path: Path, files: dict[str, str], cores: float) -> None:
    assert usable_cores(cgroup(tmp_path, **files)) == cores


@pytest.mark.parametrize("name", ["memory.max", "memory__memory.limit_in_bytes"])
def test_usable_memory_is_held_by_the_limit(tmp_path: Path, name: str) -> None:
    assert usable_memory_bytes(cgroup(tmp_path, **{name: "1048576\n"})) == 1_048_576


def test_memory_without_a_limit_is_the_machines(tmp_path: Path) -> None:
    assert usable_memory_bytes(cgroup(tmp_path, **{"memory.max": "max\n"})) == usable_memory_bytes(tmp_path / "none")


def test_the_machine_is_described_in_one_stable_line() -> None:
    line = describe_machine()
    assert line == describe_machine()
    assert f"Python {platform.python_version()}" in line
    assert "\n" not in line
