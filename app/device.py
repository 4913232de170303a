"""Where tensors live, and one thread budget for everything in a process that computes."""

import faiss
import torch

from app.errors import SettingsError
from app.machine import usable_cores
from app.settings import Settings


def choose_device(settings: Settings) -> torch.device:
    """CUDA where there is one and nobody said otherwise, else the CPU. Raises SettingsError."""
    if settings.device not in {"auto", "cpu", "cuda"}:
        raise SettingsError(f"device is {settings.device!r}: auto, cpu or cuda")
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("device is cuda, but torch sees none: use auto, or install a CUDA build of torch")
    return torch.device("cuda" if settings.device != "cpu" and torch.cuda.is_available() else "cpu")


def spend_threads(settings: Settings, processes: int) -> int:
    """Give this process its share of the cores and return it: torch takes the share, FAISS a single thread.

    Two threads too many cost far more than they bring: on two busy cores a call took 8 times as long with two torch
    threads as with one. FAISS searches of one query gain nothing from a second thread.
    """
    budget = settings.threads or int(usable_cores())
    share = max(1, budget // processes)
    torch.set_num_threads(share)
    faiss.omp_set_num_threads(1)
    return share
