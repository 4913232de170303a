"""What a training run took, kept in its bundle without changing its version: elsewhere the same run takes longer."""

import json
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from app.offline.atomic import replace_text

FILE = "cost.json"


@dataclass(frozen=True, slots=True)
class TrainingCost:
    """cpu_s: processor time of all threads. wall_s: from the split to the seal. peak_memory_bytes: resident, at most.

    Of the process that finished the run: what an earlier one did before it was stopped is not in it.
    """

    cpu_s: float
    wall_s: float
    peak_memory_bytes: int

    def write(self, folder: Path) -> None:
        replace_text(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None where the bundle came without."""
        path = folder / FILE
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def __str__(self) -> str:
        minutes, gib = self.cpu_s / 60, self.peak_memory_bytes / 2**30
        return f"{minutes:,.1f} minutes of processor time, {gib:.1f} GiB of memory at most"


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = time.process_time(), time.monotonic()

    def read(self) -> TrainingCost:
        return TrainingCost(
            cpu_s=round(time.process_time() - self._cpu_s, 1),
            wall_s=round(time.monotonic() - self._wall_s, 1),
            peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
