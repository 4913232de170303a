"""Interests read, edited and steered over HTTP: two workers, a real Valkey, the tiny bundle."""

import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
from server import Server, item_ids

pytestmark = pytest.mark.served(stored=True)

AT = {"at": "2024-06-03T10:00:00Z"}


def edit(server: Server, user: str, *operations: tuple[str, str | None]) -> Any:
    told = [{"op": op} if phrase is None else {"op": op, "phrase": phrase} for op, phrase in operations]
    return server.ask("PATCH", f"/v1/users/{user}/interests", {"operations": told})["edits"]


def share(slate: Any, genre: str) -> float:
    return sum(genre in item["properties"]["categories"] for item in slate["items"]) / len(slate["items"])


def test_never_removes_the_genre_from_the_very_next_slate_of_every_worker(server: Server) -> None:
    assert share(server.recommend(user_id="u1", k=60, seen="always"), "western") > 0
    (said,) = edit(server, "u1", ("never", "Western"))
    assert said["items_removed"] == 10
    for _ in range(6):
        assert share(server.recommend(user_id="u1", k=60, seen="always"), "western") == 0
    assert edit(server, "u1", ("reset", None)) == []
    for _ in range(6):
        assert share(server.recommend(user_id="u1", k=60, seen="always"), "western") > 0


def test_an_edit_moves_the_very_next_slate_of_every_worker(server: Server) -> None:
    for _ in range(4):
        before = server.recommend(user_id="u2", k=20, context=AT)
    edit(server, "u2", ("more", "horror film"))
    slates = [server.recommend(user_id="u2", k=20, context=AT) for _ in range(6)]
    assert all(slate["served_by"]["rung"] == "cached" for slate in slates)
    assert len({tuple(item_ids(slate)) for slate in slates}) == 1
    assert item_ids(slates[0]) != item_ids(before)
    edit(server, "u2", ("reset", "HORROR film"))
    assert item_ids(server.recommend(user_id="u2", k=20, context=AT)) == item_ids(before)


def test_more_raises_and_less_buries_what_is_asked_for_from_the_next_slate_on(server: Server) -> None:
    def place(user: str, item_id: str) -> int:
        return item_ids(server.recommend(user_id=user, k=60, seen="always", context=AT)).index(item_id)

    falls: dict[str, list[int]] = {"more": [], "less": []}
    for n in range(20, 30):
        user, item_id = f"u{n}", f"i{n * 7 % 60}"
        title = server.ask("GET", f"/v1/items/{item_id}")["title"]
        before = place(user, item_id)
        for operation, of_each in falls.items():
            edit(server, user, (operation, title))
            of_each.append(place(user, item_id) - before)
            edit(server, user, ("reset", None))
        assert place(user, item_id) == before
    assert statistics.mean(falls["more"]) < -5
    assert statistics.mean(falls["less"]) > 5


def test_parts_sum_to_the_score_however_it_is_steered(server: Server) -> None:
    edit(server, "u3", ("more", "space"), ("less", "crime"))
    slate = server.recommend(user_id="u3", k=40, words="slow western", steer="light, no horror", steer_weight=0.7)
    for item in slate["items"]:
        assert sum(item["parts"].values()) == pytest.approx(item["score"], abs=1e-5)


def test_a_sentence_steers_one_answer_and_no_other(server: Server) -> None:
    plain = server.recommend(user_id="u4", k=10, context=AT)
    steered = server.recommend(user_id="u4", k=10, context=AT, steer="bright romance, no space", steer_weight=0.8)
    assert item_ids(steered) != item_ids(plain)
    assert item_ids(server.recommend(user_id="u4", k=10, context=AT)) == item_ids(plain)
    same = server.recommend(user_id="u4", k=10, context=AT, steer="bright romance", steer_weight=0)
    assert item_ids(same) == item_ids(plain)


def test_interests_tell_their_polarity_their_evidence_and_what_was_said(server: Server) -> None:
    interests = server.ask("GET", "/v1/users/u5/interests")["interests"]
    assert all(interest["evidence_method"] == "leave_one_out" for interest in interests)
    assert all(interest["polarity"] == "positive" for interest in interests)
    assert all(each["at"] for interest in interests for each in interest["evidence"])
    edit(server, "u5", ("less", interests[0]["label"]))
    told = server.ask("GET", "/v1/users/u5/interests")
    edited = {interest["label"]: interest for interest in told["interests"]}[interests[0]["label"]]
    assert (edited["edit"], edited["polarity"]) == ("less", "negative")
    assert [said["phrase"] for said in told["edits"]] == [interests[0]["label"]]


def test_a_refused_edit_changes_nothing(server: Server) -> None:
    path, bad = "/v1/users/u6/interests", [{"op": "more", "phrase": "space"}, {"op": "less"}]
    assert server.ask("PATCH", path, {"operations": bad}, expect=422)["type"].endswith("/invalid-request")
    assert server.ask("GET", path)["edits"] == []


def test_edits_survive_a_restart(tiny_bundle: Path, data_dir: Path, tmp_path: Path) -> None:
    own = shutil.copytree(data_dir, tmp_path / "var", ignore=shutil.ignore_patterns("valkey", "metrics", "*.log"))
    with Server(tiny_bundle, own, redis_url="memory://") as first:
        edit(first, "u9", ("never", "western"), ("more", "space robots"))
        before = first.recommend(user_id="u9", k=20, context=AT)
        first.kill()
    with Server(tiny_bundle, own, redis_url="memory://") as second:
        after = second.recommend(user_id="u9", k=20, context=AT)
        assert item_ids(after) == item_ids(before)
        assert share(after, "western") == 0
