"""A slate served, then its places explained, over HTTP: two workers, so that one explains what the other has served."""

from typing import Any

import pytest
from server import Server, everywhere, item_ids, wait_until

pytestmark = pytest.mark.served(stored=True)

AT = {"at": "2024-06-03T10:00:00Z"}


def path(slate: Any, item_id: str) -> str:
    return f"/v1/slates/{slate['slate_id']}/items/{item_id}/explanation"


def remembered(server: Server, slate: Any) -> None:
    """By both workers: the log is written a moment after the answer."""
    told = path(slate, item_ids(slate)[0])
    wait_until(everywhere(lambda: server.fetch("GET", told).status_code == 200), 20)


def test_the_parts_told_of_a_place_are_those_that_were_answered(server: Server) -> None:
    slate = server.recommend(user_id="u1", k=5, context=AT)
    remembered(server, slate)
    for position, item in enumerate(slate["items"], 1):
        told = server.ask("GET", path(slate, item["item_id"]))
        assert (told["verdict"], told["position"], told["rank"], told["reproduced"]) == (
            "shown",
            position,
            position,
            True,
        )
        assert told["score"] == pytest.approx(item["score"], abs=1e-3)
        assert sum(told["parts"].values()) == pytest.approx(told["score"], abs=1e-5)
        assert all(each["rank_fall"] != 0 and each["title"] for each in told["evidence"])


def test_the_rank_without_an_event_is_the_one_in_a_slate_asked_for_without_it(server: Server) -> None:
    """What is told of a stored history is redone by a client: the same events told in a request, all but one."""
    days = {"i8": 1, "i11": 8, "i14": 15, "i17": 22, "i20": 29}
    events = {
        item_id: {"item_id": item_id, "type": "like", "at": f"2024-05-{day:02}T10:00:00Z"}
        for item_id, day in days.items()
    }
    server.send(*(event | {"event_id": f"why-{item_id}", "user_id": "why"} for item_id, event in events.items()))
    slate = server.recommend(user_id="why", k=10, context=AT)
    remembered(server, slate)
    without: dict[str, dict[str, tuple[int, float]]] = {}
    for item_id in events:
        told = [event for other, event in events.items() if other != item_id]
        items = server.recommend(history=told, exclude=list(events), k=60, context=AT)["items"]
        without[item_id] = {item["item_id"]: (rank, item["score"]) for rank, item in enumerate(items, 1)}
    evidence = {item_id: server.ask("GET", path(slate, item_id))["evidence"] for item_id in item_ids(slate)}
    assert all(evidence.values())
    assert len({each["item_id"] for told in evidence.values() for each in told}) > 2
    for place, (item_id, told) in enumerate(evidence.items(), 1):
        for each in told:
            rank, score = without[each["item_id"]][item_id]
            assert (each["rank"], each["rank_fall"]) == (rank, rank - place)
            assert each["score"] == pytest.approx(score, abs=1e-4)


def test_a_boost_is_in_the_rules_part_and_in_the_rank(server: Server) -> None:
    boost = [{"filter": "categories has 'western'", "add": 5}]
    slate = server.recommend(user_id="u2", k=5, context=AT, boost=boost)
    remembered(server, slate)
    told = server.ask("GET", path(slate, item_ids(slate)[0]))
    assert (told["rank"], told["parts"]["rules"]) == (1, pytest.approx(5, abs=1e-4))


def test_what_would_bring_an_item_in_brings_it_in(server: Server) -> None:
    slate = server.recommend(user_id="u3", k=5, context=AT)
    below = item_ids(server.recommend(user_id="u3", k=20, context=AT))[5:]
    remembered(server, slate)
    told = {item_id: server.ask("GET", path(slate, item_id)) for item_id in below}
    assert [(each["verdict"], each["position"]) for each in told.values()] == [("below_cut", None)] * 15
    assert [each["rank"] for each in told.values()] == list(range(6, 21))
    entering = [
        (item_id, remedy["change"])
        for item_id, each in told.items()
        for remedy in each["remedies"]
        if remedy["kind"] == "phrase" and remedy["enters"]
    ]
    assert entering
    for item_id, change in entering:
        assert item_id in item_ids(server.recommend(user_id="u3", k=5, context=AT, **change))


def test_why_not_is_told_for_what_the_request_keeps_out(server: Server) -> None:
    first = item_ids(server.recommend(user_id="u4", k=1, context=AT))[0]
    slate = server.recommend(user_id="u4", k=5, context=AT, exclude=[first], filter="not categories has 'horror'")
    remembered(server, slate)
    assert server.ask("GET", path(slate, first))["verdict"] == "excluded"
    verdicts = {server.ask("GET", path(slate, f"i{n}"))["verdict"] for n in range(40, 50)}
    assert "filtered" in verdicts


def test_what_nobody_remembers_or_holds_is_not_found(server: Server) -> None:
    slate = server.recommend(user_id="u5", k=3)
    assert server.ask("GET", "/v1/slates/none/items/i1/explanation", expect=404)["type"].endswith("/unknown-slate")
    remembered(server, slate)
    assert server.ask("GET", path(slate, "no-such"), expect=404)["type"].endswith("/unknown-item")
