from concurrent.futures import ThreadPoolExecutor

import faiss
import pytest
import torch
from threadpoolctl import threadpool_info

from app.device import choose_device, keep_numpy_to_one_thread, share_threads, spend_threads
from app.errors import SettingsError
from app.machine import usable_cores
from app.settings import Settings


def test_the_cpu_is_taken_where_it_is_asked_for() -> None:
    assert choose_device(Settings(device="cpu")).type == "cpu"


@pytest.mark.parametrize(("there", "chosen"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch, there: bool, chosen: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert choose_device(Settings(device="auto")).type == chosen


def test_cuda_that_is_not_there_is_refused_rather_than_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="torch sees none"):
        choose_device(Settings(device="cuda"))


@pytest.mark.parametrize("device", ["", "CPU", "gpu", "cuda:1"])
def test_a_device_we_do_not_know_is_refused_with_the_choices(device: str) -> None:
    with pytest.raises(SettingsError, match="auto, cpu or cuda"):
        choose_device(Settings(device=device))


@pytest.mark.parametrize(("threads", "processes", "share"), [(8, 2, 4), (5, 2, 2), (1, 1, 1), (1, 4, 1)])
def test_workers_share_the_threads_and_each_has_one_at_least(threads: int, processes: int, share: int) -> None:
    assert share_threads(Settings(threads=threads), processes) == share


def test_untold_the_threads_are_the_cores_we_may_use() -> None:
    assert share_threads(Settings(), 1) == max(1, int(usable_cores()))


def test_each_thread_has_its_own_count_which_torch_and_faiss_share() -> None:
    """Why the event loop's thread may have one, and the encoder's all of the share."""

    def count(threads: int) -> tuple[int, int]:
        spend_threads(threads)
        return torch.get_num_threads(), faiss.omp_get_max_threads()

    with ThreadPoolExecutor(1) as loop, ThreadPoolExecutor(1) as encoder:
        assert loop.submit(count, 1).result() == (1, 1)
        assert encoder.submit(count, 2).result() == (2, 2)
        assert loop.submit(torch.get_num_threads).result() == 1


def test_numpy_is_kept_to_one_thread() -> None:
    keep_numpy_to_one_thread()
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert pools
    assert {pool["num_threads"] for pool in pools} == {1}
