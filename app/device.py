"""Where tensors live, and one thread budget for everything in a process that computes."""

import ctypes
import ctypes.util

import faiss
import torch
from threadpoolctl import threadpool_limits

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


def share_threads(settings: Settings, processes: int) -> int:
    """How many threads each of `processes` may compute with: the setting, or the cores we may use, shared out.

    Two threads too many cost far more than they bring: on two busy cores a call took 8 times as long with two torch
    threads as with one.
    """
    return max(1, (settings.threads or int(usable_cores())) // processes)


def spend_threads(threads: int) -> None:
    """Let the calling thread compute with so many, in torch and in FAISS.

    Imported after torch, FAISS uses torch's OpenMP, which counts by calling thread; imported before, one of its own.
    """
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)


def keep_numpy_to_one_thread() -> None:
    """Let numpy's products take one thread from now on, in the whole process. For the server.

    They are of single requests, on the event loop's thread. For a product of 20 items and some hundred phrases OpenBLAS
    takes all cores and lets the others spin after it: a cached slate then took twice the processor time.
    """
    threadpool_limits(limits=1, user_api="blas")


def keep_freed_memory() -> None:
    """Let the C library keep large freed blocks for the next tensor instead of giving them back to the system.

    Each step of training frees and asks for the same few hundred megabytes; zeroing their pages anew took a fifth of
    its time. For offline jobs: a process then keeps the most it ever used. Nothing happens without glibc.
    """
    mmap_threshold, trim_threshold = -3, -1  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD of malloc.h
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(mmap_threshold, 2**31 - 1)
        library.mallopt(trim_threshold, 2**31 - 1)
