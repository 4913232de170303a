"""What a request may ask for, over HTTP: filters, boosts, what was seen, pages, batches and lists; one's own, and those
that are the same for all."""

from typing import Any

import pytest
from server import Server, item_ids, like, wait_until

pytestmark = pytest.mark.served(workers=1)

AT = {"at": "2024-06-03T10:00:00Z"}


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """Ada has done something on Saturday, and others on Sunday evening and on Monday morning."""
    told = [("ada", item, kind, "01T10") for item, kind in (("i3", "like"), ("i4", "view"), ("i33", "like"))]
    told += [("ada", "i35", "rating", "01T10"), ("mon-1", "i21", "click", "03T09")]
    told += [(f"sun-{n}", "i50", "like", "02T20") for n in range(3)]
    told += [(f"mon-{n}", "i20", "like", "03T08") for n in range(2)]
    server.send(
        *(
            {"event_id": f"e{n}", "user_id": user, "item_id": item, "type": kind, "at": f"2024-06-{at}:00:00Z"}
            for n, (user, item, kind, at) in enumerate(told)
        )
    )
    return server


def ask(server: Server, **request: Any) -> Any:
    return server.recommend(context=AT, **request)


def test_only_what_the_filter_holds_for_is_shown_and_all_of_it_is_found(server: Server) -> None:
    everything = item_ids(ask(server, user_id="ada", k=60, seen="always"))
    for text, holds in {
        'categories has "western" and year >= 1993': lambda n: n // 10 == 3 and n % 20 >= 3,
        "year in (1990, 1991) or item_id = 'i7'": lambda n: n % 20 < 2 or n == 7,
        "not (title contains 'FILM')": lambda n: False,
    }.items():
        shown = item_ids(ask(server, user_id="ada", k=60, seen="always", filter=text))
        assert shown == [item_id for item_id in everything if holds(int(item_id[1:]))]


def test_an_item_just_written_is_filtered_by_what_it_now_is(server: Server) -> None:
    place = {
        "title": "quiet harbour film",
        "properties": {"spot": [53.55, 9.99], "available_until": "2024-06-03T12:00Z"},
    }
    near, far = "geo_within(spot, 53.5, 10, 20)", "geo_within(spot, 48.1, 11.6, 20)"
    assert item_ids(ask(server, filter=near)) == []
    server.ask("PUT", "/v1/items/harbour", place, expect=201)
    assert item_ids(ask(server, filter=f"{near} and available()")) == ["harbour"]
    assert item_ids(ask(server, filter=far)) == []
    late = server.recommend(context={"at": "2024-06-03T12:00:00Z"}, filter=f"{near} and available()")
    assert item_ids(late) == []
    server.ask("DELETE", "/v1/items/harbour", expect=204)
    assert item_ids(ask(server, filter=near)) == []


HARBOURS: dict[str, dict[str, Any]] = {
    "north": {
        "title": "Quiet harbour film",
        "properties": {"price": 3.5, "tags": ["sea", "night"], "released": "2024-05-20", "spot": [53.55, 9.99]},
    },
    "south": {
        "title": "Loud HARBOUR story",
        "properties": {
            "price": 9,
            "tags": ["sea"],
            "released": "2023-01-01T12:00:00Z",
            "spot": [48.14, 11.58],
            "available_until": "2024-06-01",
        },
    },
    "later": {
        "title": "Harbour tonight",
        "properties": {"price": "free", "tags": "day", "released": "2024-06-04", "shelf mark": "A 1", "new": True},
    },
}
HELD = {
    "price = 3.5": {"north"},
    "price != 3.5": {"south"},
    "price < 9": {"north"},
    "price <= 9": {"north", "south"},
    "price > 3.5": {"south"},
    "price >= 3.5": {"north", "south"},
    "price = 'free'": {"later"},
    "new = true": {"later"},
    "`shelf mark` = 'A 1'": {"later"},
    "price in (9, 'free', 10)": {"south", "later"},
    "tags has 'sea'": {"north", "south"},
    "tags has any ('night', 'day')": {"north", "later"},
    "tags has all ('night', 'sea')": {"north"},
    "title contains 'harbour'": {"north", "south", "later"},
    "title prefix 'HARBOUR'": {"later"},
    "exists(released) and not exists(spot)": {"later"},
    "released <= now()": {"north", "south"},
    "released > now()": {"later"},
    "age_days(released) < 30": {"north", "later"},
    "age_days(released) >= 30": {"south"},
    "geo_within(spot, 53.5, 10, 20)": {"north"},
    "geo_within(spot, 51, 10.7, 330)": {"north", "south"},
    "exists(price) and available()": {"north", "later"},
    "exists(price) and not (tags has 'night' or price < 10)": {"later"},
}


def test_every_question_of_a_filter_is_answered_of_the_items_properties(server: Server) -> None:
    for item_id, told in HARBOURS.items():
        server.ask("PUT", f"/v1/items/{item_id}", told, expect=201)
    shown = {text: item_ids(ask(server, k=60, filter=text)) for text in HELD}
    for item_id in HARBOURS:
        server.ask("DELETE", f"/v1/items/{item_id}", expect=204)
    assert {text: set(items) for text, items in shown.items()} == HELD
    assert all(len(items) == len(HELD[text]) for text, items in shown.items())


def test_a_boost_moves_items_by_the_rules_part_and_says_so(server: Server) -> None:
    westerns = {f"i{n}" for n in range(30, 40)}
    plain = ask(server, words="quiet space film", k=10)
    assert not set(item_ids(plain)) <= westerns
    raised = ask(server, words="quiet space film", k=10, boost=[{"filter": 'categories has "western"', "add": 900}])
    assert set(item_ids(raised)) == westerns
    buried = ask(server, words="quiet space film", k=49, boost=[{"filter": 'categories has "western"', "add": -900}])
    assert not set(item_ids(buried)) & westerns
    for item in raised["items"]:
        assert item["parts"]["rules"] == pytest.approx(900, abs=1e-3)
        assert sum(item["parts"].values()) == pytest.approx(item["score"], abs=1e-5)
        assert "rule" in {reason["kind"] for reason in item["reasons"]}


@pytest.mark.parametrize(("factor", "direction"), [(3.0, -1), (0.2, 1)], ids=["raised", "buried"])
def test_a_factor_moves_items_whatever_their_sign_and_is_what_the_rules_part_says(
    server: Server, factor: float, direction: int
) -> None:
    def places(slate: Any) -> dict[str, int]:
        return {item_id: place for place, item_id in enumerate(item_ids(slate)) if item_id in westerns}

    westerns = {f"i{n}" for n in range(30, 40)} - {"i33", "i35"}
    plain = ask(server, user_id="ada", k=60)
    scores = {item["item_id"]: item["score"] for item in plain["items"]}
    assert min(scores.values()) < 0 < max(scores.values())
    slate = ask(server, user_id="ada", k=60, boost=[{"filter": "categories has 'western'", "factor": factor}])
    before, after = places(plain), places(slate)
    moved = [(after[item_id] - before[item_id]) * direction for item_id in westerns]
    assert sum(moved) > 0
    for item in slate["items"]:
        score = scores[item["item_id"]]
        expected = score if item["item_id"] not in westerns else score * factor if score > 0 else score / factor
        assert item["score"] == pytest.approx(expected, abs=1e-4)
        assert item["parts"]["rules"] == pytest.approx(expected - score, abs=1e-4)


def test_what_was_seen_stays_away_as_the_request_says(server: Server) -> None:
    def away(seen: Any) -> set[str]:
        return {f"i{n}" for n in range(60)} - set(item_ids(ask(server, user_id="ada", k=60, seen=seen)))

    assert away("never") == {"i3", "i4", "i33", "i35"}
    assert away("always") == set()
    assert away({"types": ["like"]}) == {"i3", "i33"}
    assert away({"within_s": 3 * 86_400, "types": ["view", "rating"]}) == {"i4", "i35"}
    assert away({"within_s": 86_400}) == set()


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("year > 1990 an year < 2000", 12, "and, or, the end"),
        ("year in (1990, )", 15, 'a number, a text in "quotes", false, true'),
        ("geo_within(spot, 53.5, 10)", 25, ","),
        ("not (year = 1990", 16, "), and, or"),
    ],
)
def test_a_mistake_in_a_filter_is_pointed_at(server: Server, text: str, position: int, expected: str) -> None:
    for told, where in (({"filter": text}, "body.filter"), ({"boost": [{"filter": text}]}, "body.boost.0.filter")):
        problem = server.ask("POST", "/v1/recommendations", told, expect=422)
        assert problem["type"] == "/problems/invalid-filter"
        (fault,) = problem["errors"]
        assert (fault["location"], fault["position"], fault["expected"]) == (where, position, expected)


def test_the_relevance_floor_shortens_the_slate_and_says_so(server: Server) -> None:
    whole = ask(server, words="quiet space film", k=60)
    some = ask(server, words="quiet space film", k=60, min_relevance=0.7)
    assert 0 < len(some["items"]) < len(whole["items"])
    assert item_ids(some) == item_ids(whole)[: len(some["items"])]
    assert (whole["served_by"]["warnings"], some["served_by"]["warnings"]) == ([], ["few_relevant"])


def test_only_the_properties_asked_for_come_back(server: Server) -> None:
    (item,) = ask(server, k=1, return_properties=["year", "poster"])["items"]
    assert list(item["properties"]) == ["year"]


def test_a_deadline_is_kept_by_going_down_the_ladder(server: Server) -> None:
    told = [{"item_id": "i3", "type": "like"}]
    hurried = ask(server, history=told, words="never asked before", deadline_ms=1)
    assert hurried["served_by"]["rung"] == "popular"
    assert set(hurried["served_by"]["degraded"]) == {"encoder_overloaded", "words_unread", "deadline"}
    assert len(hurried["items"]) == 20
    assert ask(server, history=told, words="never asked before", deadline_ms=30_000)["served_by"]["degraded"] == []


def test_a_taste_that_cannot_be_read_in_time_is_served_as_it_was_and_says_how_old_it_is(server: Server) -> None:
    server.send(like("1", "bea", "i28") | {"at": "2024-05-01T10:00:00Z"})
    before = ask(server, user_id="bea", k=60)
    server.send(like("2", "bea", "i51") | {"at": "2024-05-02T10:00:00Z"})
    late = ask(server, user_id="bea", k=60, deadline_ms=1)
    served_by = late["served_by"]
    assert (served_by["rung"], served_by["degraded"][0]) == ("stale", "encoder_overloaded")
    assert 0 < served_by["profile_age_s"] < 60
    scores = {item["item_id"]: item["score"] for item in before["items"] if item["item_id"] != "i51"}
    assert {item["item_id"]: item["score"] for item in late["items"]} == pytest.approx(scores, abs=1e-5)
    after = ask(server, user_id="bea", k=60)
    assert after["served_by"]["rung"] == "fresh"
    assert {item["item_id"]: item["score"] for item in after["items"]} != pytest.approx(scores, abs=1e-3)


def test_what_profiling_forbids_is_neither_read_nor_kept(server: Server) -> None:
    told = [{"item_id": "i9", "type": "like"}]
    nobody, session = ask(server, k=10), ask(server, history=told, k=10)
    assert item_ids(ask(server, user_id="ada", history=told, k=10, profiling="none")) == item_ids(nobody)
    assert item_ids(ask(server, user_id="ada", history=told, k=10, profiling="session")) == item_ids(session)
    assert item_ids(ask(server, user_id="ada", history=told, k=10)) != item_ids(session)


def test_a_check_tells_what_would_be_done_and_does_nothing(server: Server) -> None:
    text = 'year < 1993 and not categories has "western" and yaer != 1'
    check = ask(
        server, user_id="ada", filter=text, boost=[{"filter": "year = 1990"}], exclude=["x"], validate_only=True
    )
    assert check == {
        "validate_only": True,
        "eligible_items": 0,
        "boosted_items": [0],
        "unknown_items": ["x"],
        "unknown_properties": ["yaer"],
    }
    assert ask(server, user_id="ada", filter="year < 1993", validate_only=True)["eligible_items"] == 9


def test_pages_go_on_to_the_end_without_repeating_anything(server: Server) -> None:
    whole = item_ids(ask(server, user_id="ada", k=60, filter="year != 1999"))
    page = ask(server, user_id="ada", k=20, filter="year != 1999")
    shown = item_ids(page)
    while page["next"]:
        page = server.ask("GET", page["next"] + "?k=15")
        shown += item_ids(page)
    assert shown == whole
    assert page["served_by"]["warnings"] == ["few_eligible"]
    assert server.ask("GET", "/v1/recommendations/next/nowhere", expect=404)["type"] == "/problems/unknown-slate"


def test_the_slates_of_one_page_share_no_item(server: Server) -> None:
    requests = [{"user_id": "ada", "k": 5, "context": AT}, {"user_id": "ada", "k": 5, "context": AT}, {"k": 60}]
    slates = server.ask("POST", "/v1/recommendations/batch", {"requests": requests})["slates"]
    assert item_ids(slates[0]) + item_ids(slates[1]) == item_ids(ask(server, user_id="ada", k=10))
    assert sorted(item for slate in slates for item in item_ids(slate)) == sorted(f"i{n}" for n in range(60))


def test_items_told_on_the_spot_are_ranked_beside_those_of_the_catalogue(server: Server) -> None:
    body = {
        "words": "quiet space film",
        "items": ["i50", {"title": "quiet space film"}, {"item_id": "draft", "title": "loud story"}, "nowhere"],
    }
    ranked = server.ask("POST", "/v1/rank", body)
    assert item_ids(ranked)[0] == "items[1]"
    assert sorted(item_ids(ranked)) == ["draft", "i50", "items[1]"]
    assert ranked["served_by"]["unknown_items"] == ["nowhere"]
    assert ranked["next"] is None
    for item in ranked["items"]:
        assert sum(item["parts"].values()) == pytest.approx(item["score"], abs=1e-5)


LISTS = {
    "popular?window_s=129600": [("i50", 3), ("i20", 2), ("i21", 0.3)],
    "popular?window_s=7200": [("i20", 2), ("i21", 0.3)],
    "popular?window_s=3000": [("i21", 0.3)],
    "popular?window_s=604800&category=western": [("i33", 1), ("i35", 0.6)],
    "popular?part_of_week=weekend%20evening": [("i50", 3)],
    "popular?window_s=129600&part_of_week=weekday%20morning": [("i20", 2), ("i21", 0.3)],
}
RISING = {
    "window_s=600": ["i21"],
    "window_s=3600": ["i20", "i21"],
    "": ["i20", "i50", "i21"],
    "category=cartoon": ["i50"],
}
NEWEST = {"k=3": ["i21", "i20", "i50"], "window_s=7200": ["i21", "i20"], "window_s=604800&category=cartoon": ["i50"]}


def test_lists_follow_from_the_times_of_events_and_their_windows(server: Server) -> None:
    wait_until(lambda: bool(server.ask("GET", "/v1/popular")["items"]), 5)
    for asked, standings in LISTS.items():
        board = server.ask("GET", f"/v1/{asked}")
        assert [item["item_id"] for item in board["items"]] == [item_id for item_id, _ in standings]
        assert [item["worth"] for item in board["items"]] == pytest.approx([worth for _, worth in standings])
        assert board["until"] == "2024-06-03T09:00:00Z"
    assert {asked: item_ids(server.ask("GET", f"/v1/trending?{asked}")) for asked in RISING} == RISING
    assert {asked: item_ids(server.ask("GET", f"/v1/fresh?{asked}")) for asked in NEWEST} == NEWEST
