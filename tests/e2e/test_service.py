"""The whole service over HTTP, on a bundle made by the real jobs: what a client may count on."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from server import TURNS, Server, everywhere, item_ids, like, wait_until

from app.telemetry import CacheName, QueueName

pytestmark = pytest.mark.served(stored=True)

NEW_FILM = {"title": "bright space robots film", "categories": ["space"], "properties": {"year": 2024}}


def history_of(user_id: str, tiny_dataset: Any) -> set[str]:
    user = tiny_dataset.user_ids.index(user_id)
    rows = tiny_dataset.rows[tiny_dataset.starts[user] : tiny_dataset.starts[user + 1]]
    return {tiny_dataset.items[row].item_id for row in rows}


def test_a_known_user_gets_a_personal_slate_without_what_they_have_seen(server: Server, tiny_dataset: Any) -> None:
    slate = server.recommend(user_id="u1", k=10)
    assert len(slate["items"]) == 10
    assert not set(item_ids(slate)) & history_of("u1", tiny_dataset)
    assert slate["served_by"]["rung"] in {"fresh", "cached"}
    assert item_ids(slate) != item_ids(server.recommend(k=10))


def test_the_parts_of_every_score_sum_to_it(server: Server) -> None:
    for item in server.recommend(user_id="u2", k=20)["items"]:
        assert sum(item["parts"].values()) == pytest.approx(item["score"], abs=1e-5)


def test_an_anonymous_history_is_read_and_unknown_ids_are_reported(server: Server) -> None:
    told = [{"item_id": "i0", "type": "like"}, {"item_id": "no-such-film", "type": "like"}]
    slate = server.recommend(history=told, k=5)
    assert slate["served_by"]["rung"] == "fresh"
    assert slate["served_by"]["unknown_items"] == ["no-such-film"]
    assert "i0" not in item_ids(slate)


def test_a_stranger_by_words_gets_what_the_words_say(server: Server) -> None:
    slate = server.recommend(words="quiet space film", k=5)
    assert all("words" in item["sources"] for item in slate["items"])
    assert "quiet space film" in [item["properties"]["title"] for item in slate["items"]]


def test_nobody_at_all_gets_what_is_popular_in_this_context(server: Server) -> None:
    slate = server.recommend(k=5, context={"at": "2024-03-02T20:00:00Z"})
    assert slate["served_by"]["rung"] == "popular"
    assert {reason["kind"] for item in slate["items"] for reason in item["reasons"]} == {"popular"}
    assert slate["items"][0]["reasons"][0]["evidence"] == {"part_of_week": "weekend evening"}


def test_excluded_items_stay_out_and_seen_ones_come_back_when_allowed(server: Server, tiny_dataset: Any) -> None:
    first = item_ids(server.recommend(user_id="u3", k=3))
    assert not set(first) & set(item_ids(server.recommend(user_id="u3", k=50, exclude=first)))
    everything = item_ids(server.recommend(user_id="u3", k=500, seen="always"))
    assert history_of("u3", tiny_dataset) <= set(everything)


def test_a_slate_asked_for_after_an_acknowledged_event_reflects_it(server: Server) -> None:
    """In both workers, however the connections fall: each is asked several times."""
    for _ in range(4):
        server.recommend(user_id="u4", k=10)
    before = server.recommend(user_id="u4", k=10)
    liked = item_ids(before)[0]
    assert server.send(like("u4", "u4", liked)) == {"stored": 1, "duplicates": 0, "conflicts": [], "off_scale": []}
    for _ in range(6):
        after = server.recommend(user_id="u4", k=10)
        assert liked not in item_ids(after)
        assert [item["score"] for item in after["items"]] != [item["score"] for item in before["items"]]


def test_an_event_sent_again_counts_once_and_a_rewritten_one_is_refused(server: Server) -> None:
    event = like("twice", "u5", "i5")
    assert server.send(event)["stored"] == 1
    assert server.send(event) == {"stored": 0, "duplicates": 1, "conflicts": [], "off_scale": []}
    problem = server.ask("POST", "/v1/events", {"events": [{**event, "item_id": "i6"}]}, expect=409)
    assert problem["type"].endswith("/event-conflict")


def test_a_new_item_is_found_by_its_text_within_a_second_in_every_worker(server: Server) -> None:
    def found() -> bool:
        return "new-film" in item_ids(server.ask("POST", "/v1/search", {"words": NEW_FILM["title"], "k": 3}))

    server.ask("PUT", "/v1/items/new-film", NEW_FILM, expect=201)
    assert wait_until(everywhere(found), 10) < 1.0 + TURNS * 0.1  # a second, and what the questions themselves take
    server.ask("DELETE", "/v1/items/new-film", expect=204)
    assert server.ask("GET", "/v1/items/new-film", expect=404)["type"].endswith("/unknown-item")
    wait_until(everywhere(lambda: not found()), 1.0)


def test_a_list_of_ones_own_is_ordered_as_a_slate_would_be(server: Server) -> None:
    at = {"at": "2024-06-01T12:00:00Z"}
    slate = server.recommend(user_id="u6", k=10, context=at)
    shuffled = sorted(item_ids(slate))
    ranked = server.ask("POST", "/v1/rank", {"user_id": "u6", "items": [*shuffled, "no-such"], "context": at})
    assert item_ids(ranked) == item_ids(slate)
    assert [item["score"] for item in ranked["items"]] == pytest.approx([item["score"] for item in slate["items"]])
    assert ranked["served_by"]["unknown_items"] == ["no-such"]


def test_a_slate_goes_on_at_once_in_whichever_worker_is_asked(server: Server) -> None:
    for _ in range(12):
        page = server.recommend(user_id="u3", k=5)
        more = server.ask("GET", page["next"] + "?k=5")
        assert not set(item_ids(page)) & set(item_ids(more))


def test_two_workers_agree(server: Server) -> None:
    slates = [server.recommend(user_id="u6", k=10, context={"at": "2024-06-01T12:00:00Z"}) for _ in range(8)]
    assert len({tuple(item_ids(slate)) for slate in slates}) == 1


def test_interests_are_told_as_phrases_with_weights_and_events(server: Server) -> None:
    interests = server.ask("GET", "/v1/users/u7/interests")["interests"]
    assert sum(interest["weight"] for interest in interests) == pytest.approx(1.0)
    assert all(interest["label"] and interest["phrases"] for interest in interests)
    assert any(interest["evidence"] for interest in interests)
    assert server.ask("GET", "/v1/users/nobody/interests", expect=404)["type"].endswith("/unknown-user")


def test_reasons_asked_for_name_an_event_whose_absence_lowers_the_item(server: Server) -> None:
    reasons = [r for item in server.recommend(user_id="u8", k=5, explain=True)["items"] for r in item["reasons"]]
    measured = [reason for reason in reasons if reason["kind"] == "event"]
    assert measured
    assert all(reason["evidence"]["fall"] > 0 for reason in measured)


def test_metrics_of_both_workers_are_one_page(server: Server) -> None:
    server.recommend(k=1)
    page = server.fetch("GET", "/metrics").text
    assert 'penchant_requests_total{method="POST",route="/v1/recommendations"' in page
    assert "penchant_stage_seconds_bucket" in page


def test_every_cache_and_every_queue_of_the_background_is_measured(server: Server) -> None:
    for _ in range(TURNS):  # two workers take turns
        server.recommend(words="quiet space film", k=1, filter="year > 1990")
        server.ask("GET", "/v1/popular?k=3")
    page = server.fetch("GET", "/metrics").text
    for cache in get_args(CacheName):
        (hits,) = re.findall(rf'penchant_cache_total\{{cache="{cache}",outcome="hits"\}} (\S+)', page)
        assert float(hits) >= 1
    queues: set[QueueName] = {"words encoder", "sqlite writer", "slate log", "shadow"}
    assert queues <= set(re.findall(r'penchant_queue_waiting\{queue="([^"]+)"\}', page))


def test_one_more_event_of_somebody_active_costs_a_step_of_the_encoder(server: Server) -> None:
    """Each worker keeps states of its own: of eight slates some are asked of one that knows all but the last events."""
    for n in range(8):
        server.send(like(f"step-{n}", "stepper", f"i{n * 3}"))
        server.recommend(user_id="stepper", k=3)
    page = server.fetch("GET", "/metrics").text
    (stepped,) = re.findall(r'penchant_histories_read_total\{how="stepped"\} (\S+)', page)
    assert float(stepped) >= 1


@pytest.mark.parametrize("redis", ["embedded://", "memory://"])
def test_a_restart_keeps_everything(redis: str, tiny_bundle: Path, data_dir: Path, tmp_path: Path) -> None:
    """Killed, not asked to stop: what was acknowledged is there when it comes back."""
    own = shutil.copytree(data_dir, tmp_path / "var", ignore=shutil.ignore_patterns("valkey", "metrics", "*.log"))
    at = {"at": "2024-06-02T12:00:00Z"}
    with Server(tiny_bundle, own, redis_url=redis) as first:
        first.send(like("kept", "u9", "i30"))
        first.ask("PUT", "/v1/items/kept-film", NEW_FILM, expect=201)
        first.ask("DELETE", "/v1/items/i31", expect=204)
        before = item_ids(first.recommend(user_id="u9", k=20, context=at))
        first.kill()
    with Server(tiny_bundle, own, redis_url=redis) as second:
        assert item_ids(second.recommend(user_id="u9", k=20, context=at)) == before
        assert "kept-film" in item_ids(second.ask("POST", "/v1/search", {"words": NEW_FILM["title"], "k": 3}))
        second.ask("GET", "/v1/items/i31", expect=404)
        assert second.send(like("kept", "u9", "i30"))["duplicates"] == 1
        assert second.stop() in {0, -signal.SIGTERM}  # uvicorn drains, then passes the signal on


def test_without_a_key_an_address_that_others_reach_is_refused_with_the_reason(tmp_path: Path) -> None:
    """There is no bundle either: were it not refused for its address, it would not listen."""
    where = ["--host", "0.0.0.0", "--bundle-dir", str(tmp_path / "none"), "--data-dir", str(tmp_path)]  # noqa: S104
    command = [sys.executable, "-m", "app.cli", "serve", *where]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert outcome.returncode == 1
    assert outcome.stderr.count("\n") == 1
    assert "host is '0.0.0.0' and no api_key is set: anybody who reaches that address could read" in outcome.stderr


def test_a_damaged_bundle_stops_the_start_with_one_line(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(tiny_bundle, tmp_path / "damaged")
    weights = bundle / "space.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    command = [sys.executable, "-m", "app.cli", "serve", "--bundle-dir", str(bundle), "--data-dir", str(tmp_path)]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert outcome.returncode == 1
    assert outcome.stderr.count("\n") == 1
    assert "space.safetensors is damaged" in outcome.stderr
    assert "train it again" in outcome.stderr
