import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import telemetry
from app.domain import Rung, ServedBy


@pytest.fixture(autouse=True)
def fresh_metrics() -> Iterator[None]:
    telemetry._metrics.cache_clear()
    yield
    telemetry._metrics.cache_clear()


def lines() -> list[str]:
    return telemetry.render_metrics().decode().splitlines()


def test_a_stage_is_timed_for_the_answer_and_for_the_operators() -> None:
    timer = telemetry.StageTimer()

    with timer.stage("scoring"):
        pass

    assert timer.took_ms.keys() == {"scoring"}
    assert 0 <= timer.took_ms["scoring"] < 1_000
    assert 'penchant_stage_seconds_count{stage="scoring"} 1.0' in lines()


def test_a_stage_that_fails_is_timed_all_the_same() -> None:
    timer = telemetry.StageTimer()

    with pytest.raises(RuntimeError), timer.stage("scoring"):
        raise RuntimeError

    assert timer.took_ms.keys() == {"scoring"}


def test_requests_are_counted_by_template() -> None:
    telemetry.count_request("/v1/items/{item_id}", "GET", 404, 0.02)

    assert 'penchant_requests_total{method="GET",route="/v1/items/{item_id}",status="404"} 1.0' in lines()
    assert 'penchant_request_seconds_bucket{le="0.025",route="/v1/items/{item_id}"} 1.0' in lines()
    assert 'penchant_request_seconds_bucket{le="0.01",route="/v1/items/{item_id}"} 0.0' in lines()


def test_a_slate_counts_on_its_rung_and_for_everything_it_lacked() -> None:
    telemetry.count_slate(ServedBy("b", Rung.STALE, 3.0, ("encoder_slow", "interest_cache_unavailable"), {}))

    assert 'penchant_slates_total{rung="stale"} 1.0' in lines()
    assert 'penchant_degraded_total{reason="encoder_slow"} 1.0' in lines()
    assert 'penchant_degraded_total{reason="interest_cache_unavailable"} 1.0' in lines()


def test_a_caches_counts_are_carried_over_once() -> None:
    @dataclass
    class Counts:
        hits: int = 0
        misses: int = 0

    counts = Counts(hits=2)
    reporter = telemetry.CacheReporter({"memory": counts})
    reporter.report()
    counts.hits, counts.misses = 5, 1
    reporter.report()

    assert 'penchant_interest_cache_total{outcome="hits",tier="memory"} 5.0' in lines()
    assert 'penchant_interest_cache_total{outcome="misses",tier="memory"} 1.0' in lines()


def test_a_source_is_timed_and_what_it_proposed_is_counted() -> None:
    with telemetry.time_source("covisited"):
        telemetry.count_candidates("covisited", 40)

    assert 'penchant_source_seconds_count{source="covisited"} 1.0' in lines()
    assert 'penchant_candidates_total{source="covisited"} 40.0' in lines()


def test_queues_tell_what_waits_and_how_much_is_worked_on_at_once() -> None:
    telemetry.set_queue_waiting("user encoder", 3)
    telemetry.count_batch("user encoder", 3)

    assert 'penchant_queue_waiting{queue="user encoder"} 3.0' in lines()
    assert 'penchant_batch_size_bucket{le="2.0",queue="user encoder"} 0.0' in lines()
    assert 'penchant_batch_size_bucket{le="4.0",queue="user encoder"} 1.0' in lines()


def test_look_ups_in_a_cache_are_counted_by_what_came_of_them() -> None:
    telemetry.count_look_up("phrases", hit=True)
    telemetry.count_look_up("phrases", hit=False)

    assert 'penchant_cache_total{cache="phrases",outcome="hits"} 1.0' in lines()
    assert 'penchant_cache_total{cache="phrases",outcome="misses"} 1.0' in lines()


def test_gauges_say_what_is_served() -> None:
    telemetry.set_items_live(1_682)
    telemetry.set_build_info("1f2e", "0.1.0")
    telemetry.count_events_stored(3)

    assert "penchant_items_live 1682.0" in lines()
    assert 'penchant_build_info{bundle="1f2e",version="0.1.0"} 1.0' in lines()
    assert "penchant_events_stored_total 3.0" in lines()


WORKER = """
from app import telemetry
telemetry.count_events_stored(2)
telemetry.set_items_live(10)
print(telemetry.render_metrics().decode())
"""


def test_worker_processes_add_up_what_they_count_and_agree_on_what_they_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(telemetry.MULTIPROCESS_DIR, "to be put back after the test")
    (tmp_path / "counter_1.db").write_bytes(b"left over by an earlier run")
    telemetry.share_metrics(tmp_path)

    printed = [
        subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=True).stdout.splitlines()
        for _ in range(2)
    ]

    assert os.environ[telemetry.MULTIPROCESS_DIR] == str(tmp_path)
    assert "penchant_events_stored_total 2.0" in printed[0]
    assert "penchant_events_stored_total 4.0" in printed[1]
    assert "penchant_items_live 10.0" in printed[1]
