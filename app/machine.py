"""What a figure was measured on, in one line, the same at every run on the same machine."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
CGROUP = Path("/sys/fs/cgroup")


def describe_machine() -> str:
    """CPU model, usable cores, memory, Python and, where installed, torch (not imported: that takes seconds)."""
    return ", ".join(
        [
            _cpu_model(),
            f"{usable_cores():g} cores",
            f"{usable_memory_bytes() / 2**30:.0f} GiB memory",
            f"Python {platform.python_version()}",
            _torch(),
        ]
    )


def usable_cores(cgroup: Path = CGROUP) -> float:
    """Cores this process may use: its affinity, or the cgroup's quota (version 2, then 1) where that is smaller."""
    affinity = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    quota = _read_words(cgroup / "cpu.max")
    if not quota:
        quota = _read_words(cgroup / "cpu/cpu.cfs_quota_us") + _read_words(cgroup / "cpu/cpu.cfs_period_us")
    if len(quota) != 2 or quota[0] in {"max", "-1"}:
        return affinity
    return min(affinity, int(quota[0]) / int(quota[1]))


def usable_memory_bytes(cgroup: Path = CGROUP) -> int:
    """The machine's memory, or the cgroup's limit where that is smaller."""
    limits = _read_words(cgroup / "memory.max") or _read_words(cgroup / "memory/memory.limit_in_bytes")
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([installed, *(int(limit) for limit in limits if limit != "max")])


def _read_words(path: Path) -> list[str]:
    return path.read_text().split() if path.is_file() else []


def _cpu_model() -> str:
    if CPUINFO.is_file():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _torch() -> str:
    try:
        return f"torch {version('torch')}"
    except PackageNotFoundError:
        return "no torch"
