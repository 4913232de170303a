"""Events, impressions and users as a whole, over HTTP on two workers: what a client may count on."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from server import TURNS, Server, item_ids, wait_until

from app.offline.dataset import read_dataset

OWN_TYPES = {"skip": {"weight": -0.5}, "adored": {"weight": 1.0}}

pytestmark = pytest.mark.served(event_types=json.dumps(OWN_TYPES))


def did(event_id: str, user_id: str, item_id: str, event_type: str = "like", **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "user_id": user_id, "item_id": item_id, "type": event_type, **more}


def kept_of(server: Server, user_id: str) -> list[dict[str, Any]]:
    answer = server.fetch("GET", f"/v1/users/{user_id}/export")
    return [] if answer.status_code == 404 else [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("event_type", ["hide", "dislike", "skip"])
def test_a_refused_item_is_gone_from_the_very_next_slate_even_where_seen_ones_may_come(
    server: Server, event_type: str
) -> None:
    user_id = f"refuser-{event_type}"
    server.send(did(f"{user_id}-1", user_id, "i1"))
    refused = item_ids(server.recommend(user_id=user_id, k=10, seen="always"))[0]

    server.send(did(f"{user_id}-2", user_id, refused, event_type))

    for _ in range(TURNS):
        assert refused not in item_ids(server.recommend(user_id=user_id, k=60, seen="always"))
    server.send(did(f"{user_id}-3", user_id, refused, "purchase"))
    assert refused in item_ids(server.recommend(user_id=user_id, k=60, seen="always"))


def test_an_item_refused_in_the_request_itself_is_not_answered(server: Server) -> None:
    told = [{"item_id": "i0", "type": "like"}, {"item_id": "i1", "type": "hide"}]
    slate = item_ids(server.recommend(history=told, k=60, seen="always"))
    assert "i0" in slate
    assert "i1" not in slate


def test_impressions_are_kept_and_change_no_slate(server: Server) -> None:
    server.send(did("watcher-1", "watcher", "i2"))
    at = {"at": "2024-06-01T12:00:00Z"}
    slate = server.recommend(user_id="watcher", k=5, context=at)
    shown = {"event_id": "watcher-2", "type": "impression", "slate_id": slate["slate_id"], "items": item_ids(slate)}
    click = did("watcher-3", "watcher", "i2", "click", slate_id=slate["slate_id"])

    assert server.send({**shown, "user_id": "watcher"})["stored"] == 1
    assert server.send({**shown, "user_id": "watcher"})["duplicates"] == 1
    assert item_ids(server.recommend(user_id="watcher", k=5, context=at)) == item_ids(slate)
    assert server.send(click)["stored"] == 1
    rows = {line["row"].get("event_id"): line["row"] for line in kept_of(server, "watcher")}
    assert rows["watcher-2"]["items"] == item_ids(slate)
    assert rows["watcher-3"]["slate_id"] == slate["slate_id"]


@pytest.mark.parametrize("is_named", [True, False], ids=["by whom", "by nobody named"])
def test_what_was_on_the_screen_stays_away_where_a_request_says_so(server: Server, is_named: bool) -> None:
    user_id, at = f"looker-{is_named}", {"at": "2024-06-01T12:00:00Z"}
    slate = server.recommend(user_id=user_id, k=5, context=at)
    shown = item_ids(slate)[:3]
    told = {"event_id": f"{user_id}-1", "type": "impression", "slate_id": slate["slate_id"], "items": shown}
    server.send(told | {"at": "2024-05-31T12:00:00Z"} | ({"user_id": user_id} if is_named else {}))

    def still(seen: Any) -> list[str]:
        again = item_ids(server.recommend(user_id=user_id, k=5, context=at, seen=seen))
        return [item_id for item_id in again if item_id in shown]

    wait_until(lambda: not still({"types": ["impression"]}), 5)  # the slate it names is on disk a moment later
    assert still({"types": ["impression"], "within_s": 90_000}) == []
    assert still({"types": ["impression"], "within_s": 3_600}) == shown
    assert still({"types": ["like"]}) == still("never") == shown


def test_the_types_are_listed_with_their_weights(server: Server) -> None:
    types = {known["name"]: known["weight"] for known in server.ask("GET", "/v1/events/types")["types"]}
    assert types["purchase"] == 1.0
    assert types["hide"] == -1.0
    assert {name: types[name] for name in OWN_TYPES} == {"skip": -0.5, "adored": 1.0}


def test_an_event_counts_as_its_type_and_what_was_taken_in_say(server: Server) -> None:
    """Of each of these events, alike in all else, a user of its own tells who did the same before it."""
    last: dict[str, dict[str, Any]] = {
        "like": {"event_type": "like"},
        "adored": {"event_type": "adored"},
        "click": {"event_type": "click"},
        "of-no-table": {"event_type": "wave"},
        "glance": {"event_type": "view", "dwell_s": 1},
        "long-look": {"event_type": "view", "dwell_s": 600},
        "half": {"event_type": "play", "completion": 0.5},
        "most": {"event_type": "play", "completion": 0.9},
        "nine-minutes": {"event_type": "play", "dwell_s": 540},
        "most-in-a-second": {"event_type": "play", "completion": 0.9, "dwell_s": 1},
    }
    scores: dict[str, dict[str, float]] = {}
    for name, told in last.items():
        first = did(f"{name}-1", name, "i1", at="2024-05-01T12:00:00Z")
        server.send(first, did(f"{name}-2", name, "i44", at="2024-05-02T12:00:00Z", **told))
        slate = server.recommend(user_id=name, k=60, context={"at": "2024-06-01T12:00:00Z"})
        scores[name] = {item["item_id"]: item["score"] for item in slate["items"]}

    for one, same in (
        ("like", "adored"),
        ("click", "of-no-table"),
        ("most", "nine-minutes"),
        ("most", "most-in-a-second"),
    ):
        assert scores[one] == pytest.approx(scores[same], abs=1e-4), (one, same)
    for one, other in (("adored", "of-no-table"), ("glance", "long-look"), ("half", "most")):
        assert scores[one].keys() == scores[other].keys()
        assert max(abs(score - scores[other][item_id]) for item_id, score in scores[one].items()) > 1e-2, (one, other)


def test_a_session_merged_into_a_user_is_read_at_once_in_every_worker(server: Server) -> None:
    at = {"at": "2024-06-01T12:00:00Z"}
    server.send(did("member-1", "member", "i4", at="2024-05-01T12:00:00Z"))
    for _ in range(TURNS):
        before = server.recommend(user_id="member", k=10, context=at)
    server.send(did("session-1", "session", "i5", at="2024-05-02T12:00:00Z"))

    merged = server.ask("POST", "/v1/users/member/merge", {"from_user_id": "session"})
    again = server.ask("POST", "/v1/users/member/merge", {"from_user_id": "session"})

    assert (merged["moved"]["events"], sum(again["moved"].values())) == (1, 0)
    for _ in range(TURNS):
        after = server.recommend(user_id="member", k=10, context=at)
        assert "i5" not in item_ids(after)
        assert [item["score"] for item in after["items"]] != [item["score"] for item in before["items"]]
    assert server.send(did("session-1", "session", "i5", at="2024-05-02T12:00:00Z"))["duplicates"] == 1
    assert server.send(did("session-2", "session", "i6"))["stored"] == 1
    assert len([line for line in kept_of(server, "member") if line["store"] == "events"]) == 3


def test_erasure_takes_a_user_out_of_everything_and_says_what_it_took(server: Server, data_dir: Path) -> None:
    server.send(did("leaver-1", "leaver", "i7"), did("leaver-2", "leaver", "i8"))
    for _ in range(TURNS):
        assert server.recommend(user_id="leaver", k=5)["served_by"]["rung"] in {"fresh", "cached"}

    receipt = server.ask("DELETE", "/v1/users/leaver")

    assert (receipt["rows"]["events"], receipt["rows"]["interest_cache"] >= 1) == (2, True)
    assert receipt["incomplete"] == {}
    server.ask("GET", "/v1/users/leaver/export", expect=404)
    server.ask("GET", "/v1/users/leaver/interests", expect=404)
    assert set(server.ask("DELETE", "/v1/users/leaver")["rows"].values()) == {0}
    with sqlite3.connect(data_dir / "penchant.sqlite3") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            mentions = [f"CAST({column} AS TEXT) LIKE '%leaver%'" for column in columns]
            sql = f"SELECT count(*) FROM {table} WHERE {' OR '.join(mentions)}"  # noqa: S608
            assert database.execute(sql).fetchone() == (0,), table
    assert server.send(did("leaver-1", "leaver", "i7"))["stored"] == 1  # they may come back, as a stranger
    server.ask("DELETE", "/v1/users/leaver")
    for _ in range(TURNS):
        assert server.recommend(user_id="leaver", k=5)["served_by"]["rung"] == "popular"


def test_the_live_log_is_exported_and_cleaned_for_training(server: Server, data_dir: Path, tmp_path: Path) -> None:
    """`penchant events export`, then `penchant data clean`, beside the running server."""
    at_home = did("trainee-2", "trainee", "i2", context={"device": "tv"})
    server.send(did("trainee-1", "trainee", "i1", "play", completion=0.5), at_home)
    events, items = tmp_path / "events.parquet", tmp_path / "items.jsonl"
    exporting = ["events", "export", "--data-dir", str(data_dir), "--parquet", str(events), "--items", str(items)]
    cleaning = ["data", "clean", str(events), str(items), "--name", "live", "--data-dir", str(tmp_path)]
    for command in (exporting, cleaning):
        done = subprocess.run([sys.executable, "-m", "app.cli", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    dataset = read_dataset(tmp_path / "data/live")
    trainee = dataset.users == dataset.user_ids.index("trainee")
    assert dataset.weights[trainee].tolist() == pytest.approx([0.5, 1.0])
    assert dataset.context["device"][trainee].tolist() == ["", "tv"]
