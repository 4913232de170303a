from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.domain import Boost, Item, ItemId, Seen, SeenWindow, SlateRequest

EVENING = datetime(2025, 6, 6, 20, 30, tzinfo=UTC)
URL = "/v1/recommendations"


def ask(client: TestClient, resources: FakeResources, body: dict[str, Any]) -> SlateRequest:
    """What the recommender is asked when `body` is sent."""
    answer = client.post(URL, json=body)
    assert answer.status_code == 200, answer.text
    assert resources.recommender.request is not None
    return resources.recommender.request


def test_nobody_gets_a_slate_of_exactly_the_promised_shape(client: TestClient) -> None:
    answer = client.post(URL, json={})

    assert answer.json() == {
        "slate_id": "slate-1",
        "items": [
            {
                "item_id": "50",
                "score": 1.5,
                "parts": {"text": 1.0, "prior": 0.5},
                "sources": ["popular"],
                "rules": [],
                "label": "",
                "propensity": 1.0,
                "reasons": [],
                "properties": {"year": 1977, "title": "Star Wars (1977)", "categories": ["Action", "Sci-Fi"]},
            }
        ],
        "next": "/v1/recommendations/next/slate-1",
        "served_by": {
            "bundle": "bundle-1",
            "arm": None,
            "rung": "popular",
            "profile_age_s": None,
            "degraded": [],
            "took_ms": {"retrieval": 0.25},
            "unknown_items": [],
            "warnings": [],
        },
    }


def test_an_empty_request_asks_for_unseen_items_now_and_leaves_open_how_many(
    client: TestClient, resources: FakeResources
) -> None:
    before = datetime.now(UTC)

    asked = ask(client, resources, {})

    assert before <= asked.context.at <= datetime.now(UTC)
    assert asked == SlateRequest(context=asked.context, k=0)


def test_every_field_reaches_the_recommender(client: TestClient, resources: FakeResources) -> None:
    body = {
        "user_id": "1",
        "history": [{"item_id": "50", "type": "rating", "value": 4, "at": "2025-06-06T20:00:00Z"}],
        "words": " something light ",
        "context": {"at": "2025-06-06T20:30:00Z", "device": "tv"},
        "k": 3,
        "exclude": ["181"],
        "seen": "always",
        "explain": True,
    }

    asked = ask(client, resources, body)

    (event,) = asked.history
    assert (event.user_id, event.item_id, event.type, event.value) == ("1", "50", "rating", 4.0)
    assert event.at == EVENING - timedelta(minutes=30)
    assert (asked.user_id, asked.words, asked.k, asked.exclude) == ("1", "something light", 3, frozenset({"181"}))
    assert (asked.seen, asked.explain) == (Seen.ALWAYS, True)
    assert (asked.context.at, asked.context.features) == (EVENING, {"device": "tv"})


def test_rules_reach_the_main_path_as_they_were_told(client: TestClient, resources: FakeResources) -> None:
    body = {
        "filter": "year > 1990",
        "boost": [{"filter": "year = 2000", "factor": 2}, {"filter": "exists(poster)", "add": -1.5}],
        "seen": {"within_s": 60, "types": ["view", "like"]},
    }

    asked = ask(client, resources, body)

    assert asked.filter == "year > 1990"
    assert asked.boosts == (Boost("year = 2000", 2.0, 0.0), Boost("exists(poster)", 1.0, -1.5))
    assert asked.seen == SeenWindow(60.0, frozenset({"view", "like"}))
    assert ask(client, resources, {"seen": {}}).seen == SeenWindow()


def test_what_profiling_forbids_to_know_goes_no_further(client: TestClient, resources: FakeResources) -> None:
    body = {
        "user_id": "1",
        "history": [{"item_id": "50", "type": "like"}],
        "words": "light",
        "context": {"device": "tv"},
    }

    full = ask(client, resources, body)
    session = ask(client, resources, {**body, "profiling": "session"})
    none = ask(client, resources, {**body, "profiling": "none"})

    assert (full.user_id, full.history[0].user_id) == ("1", "1")
    assert (session.user_id, session.history[0].user_id, session.history[0].item_id) == (None, "", "50")
    assert (none.user_id, none.history) == (None, ())
    assert {asked.words for asked in (full, session, none)} == {"light"}
    assert [asked.profiling for asked in (full, session, none)] == ["full", "session", "none"]
    assert none.context.features == {"device": "tv"}


def test_limits_of_an_answer_reach_the_main_path(client: TestClient, resources: FakeResources) -> None:
    asked = ask(client, resources, {"deadline_ms": 80, "min_relevance": 0.25, "return_properties": ["year"]})

    assert (asked.deadline_ms, asked.min_relevance, asked.return_properties) == (80, 0.25, ("year",))
    assert ask(client, resources, {}).return_properties is None


def test_only_the_properties_asked_for_are_answered(client: TestClient) -> None:
    def shown(names: list[str]) -> object:
        return client.post(URL, json={"return_properties": names}).json()["items"][0]["properties"]

    assert shown(["year", "title", "nothing"]) == {"year": 1977, "title": "Star Wars (1977)"}
    assert shown([]) == {}


def test_a_request_to_be_checked_only_is_answered_with_what_it_would_come_to(
    client: TestClient, resources: FakeResources
) -> None:
    body = {"filter": "yaer > 1", "boost": [{"filter": "a = 1", "add": 1}], "validate_only": True}

    answer = client.post(URL, json=body)

    assert answer.json() == {
        "validate_only": True,
        "eligible_items": 1,
        "boosted_items": [1],
        "unknown_items": ["ghost"],
        "unknown_properties": ["yaer"],
    }
    assert client.post(URL, json={"filter": "yaer >", "validate_only": True}).status_code == 422


@pytest.mark.parametrize(
    ("body", "location"),
    [({"filter": "year >> 1990"}, "body.filter"), ({"boost": [{"filter": "year >> 1990"}]}, "body.boost.0.filter")],
)
def test_a_filter_that_cannot_be_read_is_answered_with_the_place_of_its_mistake(
    client: TestClient, body: object, location: str
) -> None:
    answer = client.post(URL, json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-filter")
    (fault,) = answer.json()["errors"]
    assert (fault["location"], fault["position"], fault["excerpt"]) == (location, 6, "year >> 1990")
    assert "a number" in fault["expected"]
    assert "'>' at character 6" in answer.json()["detail"]


def test_a_filter_beside_another_mistake_is_one_of_the_errors(client: TestClient) -> None:
    answer = client.post(URL, json={"filter": "year = {x}", "k": 0})

    assert answer.json()["type"] == "/problems/invalid-request"
    assert {fault["location"] for fault in answer.json()["errors"]} == {"body.filter", "body.k"}


def test_a_whole_number_may_be_written_with_a_point(client: TestClient, resources: FakeResources) -> None:
    assert ask(client, resources, {"k": 3.0}).k == 3


def test_null_means_the_same_as_not_given(client: TestClient, resources: FakeResources) -> None:
    asked = ask(client, resources, {"user_id": None, "words": None, "context": None})

    assert (asked.user_id, asked.words, asked.context.features) == (None, "", {})


def test_events_told_no_time_lie_just_before_the_request_in_the_order_given(
    client: TestClient, resources: FakeResources
) -> None:
    told = [{"item_id": item_id, "type": "view"} for item_id in ("a", "b", "c")]

    asked = ask(client, resources, {"history": told, "context": {"at": "2025-06-06T20:30:00Z"}})

    assert [event.item_id for event in asked.history] == ["a", "b", "c"]
    assert [EVENING - event.at for event in asked.history] == [timedelta(milliseconds=n) for n in (3, 2, 1)]


def test_how_much_of_an_item_was_taken_in_is_handed_on(client: TestClient, resources: FakeResources) -> None:
    told = [{"item_id": "a", "type": "play", "completion": 0.8}, {"item_id": "b", "type": "view", "dwell_s": 90}]

    asked = ask(client, resources, {"history": told})

    assert [(event.completion, event.dwell_s) for event in asked.history] == [(0.8, None), (None, 90)]


def test_history_is_handed_on_oldest_first(client: TestClient, resources: FakeResources) -> None:
    told = [
        {"item_id": "late", "type": "view", "at": "2025-06-06T12:00:00Z"},
        {"item_id": "early", "type": "view", "at": "2025-06-05T12:00:00Z"},
    ]

    asked = ask(client, resources, {"history": told})

    assert [event.item_id for event in asked.history] == ["early", "late"]


def test_a_time_without_an_offset_is_utc_and_one_with_an_offset_is_the_same_instant(
    client: TestClient, resources: FakeResources
) -> None:
    naive = ask(client, resources, {"context": {"at": "2025-06-06T20:30:00"}}).context.at
    berlin = ask(client, resources, {"context": {"at": "2025-06-06T22:30:00+02:00"}}).context.at

    assert naive == berlin == EVENING
    assert berlin.tzinfo is UTC


def test_features_become_text(client: TestClient, resources: FakeResources) -> None:
    features = {"device": "tv", "alone": True, "guests": 2, "seats": 4.0, "hours": 1.5}

    asked = ask(client, resources, {"context": features})

    assert asked.context.features == {"device": "tv", "alone": "true", "guests": "2", "seats": "4", "hours": "1.5"}


def test_ids_are_read_in_normal_form_c(client: TestClient, resources: FakeResources) -> None:
    asked = ask(client, resources, {"user_id": "Zoe\u0308"})

    assert asked.user_id == "Zo\u00eb"


def test_items_the_history_tells_of_and_nobody_knows_are_named_not_refused(client: TestClient) -> None:
    answer = client.post(URL, json={"history": [{"item_id": "ghost", "type": "view"}]})

    assert answer.json()["served_by"]["unknown_items"] == ["ghost"]


def test_title_and_categories_of_an_item_come_before_properties_of_that_name(
    client: TestClient, resources: FakeResources
) -> None:
    resources.catalogue.items = {ItemId("x"): Item(ItemId("x"), "True", ("A",), properties={"title": "false"})}

    answer = client.post(URL, json={})

    assert answer.json()["items"][0]["properties"] == {"title": "True", "categories": ["A"]}


@pytest.mark.parametrize(
    ("body", "location"),
    [
        pytest.param({"k": 0}, "body.k", id="k below its range"),
        pytest.param({"k": 501}, "body.k", id="k above its range"),
        pytest.param({"k": 10**30}, "body.k", id="k beyond 64 bits"),
        pytest.param({"k": "20"}, "body.k", id="k as text"),
        pytest.param({"k": 2.5}, "body.k", id="half an item"),
        pytest.param({"k": True}, "body.k", id="k as a boolean"),
        pytest.param({"explain": 1}, "body.explain", id="explain as a number"),
        pytest.param({"seen": "sometimes"}, "body.seen", id="a policy there is not"),
        pytest.param({"user_id": ""}, "body.user_id", id="empty id"),
        pytest.param({"user_id": "x" * 257}, "body.user_id", id="long id"),
        pytest.param({"user_id": 1}, "body.user_id", id="number for an id"),
        pytest.param({"user_id": "a\nb"}, "body.user_id", id="id with a line break"),
        pytest.param({"user_id": "a\x00"}, "body.user_id", id="id with a zero byte"),
        pytest.param({"user_id": "a\x9f"}, "body.user_id", id="id with a C1 control character"),
        pytest.param({"words": "  \n"}, "body.words", id="blank words"),
        pytest.param({"words": "x" * 1_001}, "body.words", id="long words"),
        pytest.param({"exclude": [""]}, "body.exclude.0", id="empty id excluded"),
        pytest.param({"exclude": ["x"] * 10_001}, "body.exclude", id="too much excluded"),
        pytest.param({"exclude": "50"}, "body.exclude", id="a text for a list"),
        pytest.param({"history": [{"item_id": "a", "type": "view"}] * 513}, "body.history", id="long history"),
        pytest.param({"history": [{"item_id": "a"}]}, "body.history.0.type", id="event without a type"),
        pytest.param({"history": [{"item_id": "a", "type": ""}]}, "body.history.0.type", id="event of an empty type"),
        pytest.param({"history": [{"item_id": "a", "type": "rating", "value": "5"}]}, "body.history.0.value", id="5"),
        pytest.param({"context": {"at": 874965758}}, "body.context.at", id="a number for a time"),
        pytest.param({"context": {"at": "874965758"}}, "body.context.at", id="seconds for a time"),
        pytest.param({"context": {"at": "2025-06-06"}}, "body.context.at", id="a day for a time"),
        pytest.param({"context": {"at": "2025-06-31T00:00:00Z"}}, "body.context.at", id="a day that June has not"),
        pytest.param({"context": {"at": "0001-01-01T00:00:00+14:00"}}, "body.context.at", id="before the calendar"),
        pytest.param({"context": {"at": "9999-12-31T23:59:59-14:00"}}, "body.context.at", id="after the calendar"),
        pytest.param({"context": {"at": "1969-12-31T23:59:59Z"}}, "body.context.at", id="before 1970"),
        pytest.param({"context": {"device": []}}, "body.context", id="a list for a feature"),
        pytest.param({"context": {"device": ""}}, "body.context", id="an empty feature"),
        pytest.param({"context": {"two words": "x"}}, "body.context", id="a feature's name with a space"),
        pytest.param({"context": {f"f{n}": n for n in range(33)}}, "body.context", id="too many features"),
        pytest.param({"boost": [{"factor": 2}]}, "body.boost.0.filter", id="a boost of nothing"),
        pytest.param({"boost": [{"filter": "a = 1", "factor": 0}]}, "body.boost.0.factor", id="a factor of zero"),
        pytest.param({"boost": [{"filter": "a = 1"}] * 9}, "body.boost", id="too many boosts"),
        pytest.param({"filter": "a = 1 and " * 250 + "a = 1"}, "body.filter", id="a filter too long"),
        pytest.param({"min_relevance": 1.1}, "body.min_relevance", id="more than the best"),
        pytest.param({"deadline_ms": 0}, "body.deadline_ms", id="no time at all"),
        pytest.param({"profiling": "some"}, "body.profiling", id="a profiling there is not"),
        pytest.param({"return_properties": [""]}, "body.return_properties.0", id="a property without a name"),
        pytest.param({"seen": {"within_s": 0}}, "body.seen", id="a window of nothing"),
        pytest.param({"seen": {"types": []}}, "body.seen", id="no types"),
        pytest.param({"usr_id": "1"}, "body", id="a field nobody knows"),
        pytest.param(
            {"history": [{"item_id": "a", "type": "b", "user_id": "c"}]},
            "body.history.0.user_id",
            id="a field of another object",
        ),
        pytest.param([], "body", id="a list for an object"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_place(client: TestClient, body: object, location: str) -> None:
    answer = client.post(URL, json=body)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid-request"
    assert location in {fault["location"] for fault in answer.json()["errors"]}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
@pytest.mark.parametrize("body", ['{"context": {"x": %s}}', '{"history": [{"item_id":"a","type":"b","value": %s}]}'])
def test_numbers_that_are_not_finite_are_refused(client: TestClient, number: str, body: str) -> None:
    answer = client.post(URL, content=body % number, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        r'{"user_id": "\ud800"}',
        r'{"\udfff": 1}',
        r'{"context": {"\ud800": 1}}',
        r'{"context": {"device": "\ud800"}}',
        r'{"exclude": ["\ud83d"]}',
    ],
)
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(client: TestClient, body: str) -> None:
    answer = client.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


def test_a_misspelt_field_is_answered_with_the_nearest_one(client: TestClient) -> None:
    answer = client.post(URL, json={"usr_id": "1"})

    assert "'user_id'" in answer.json()["detail"]


def test_a_full_slate_leads_to_its_next_page(client: TestClient, resources: FakeResources) -> None:
    path = client.post(URL, json={"k": 1, "words": "light"}).json()["next"]

    assert path == "/v1/recommendations/next/slate-1"
    assert client.get(path).json()["items"][0]["item_id"] == "50"
    assert client.get(path, params={"k": 3}).status_code == 200
    assert resources.recommender.request is not None
    assert (resources.recommender.request.k, resources.recommender.request.words) == (3, "light")


@pytest.mark.parametrize("k", ["0", "501", "x"])
def test_a_page_of_an_impossible_length_is_refused(client: TestClient, k: str) -> None:
    answer = client.get("/v1/recommendations/next/slate-1", params={"k": k})

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")


def test_a_page_after_a_slate_nobody_remembers_is_refused(client: TestClient) -> None:
    answer = client.get("/v1/recommendations/next/nowhere")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-slate")


def test_a_batch_is_answered_in_its_order(client: TestClient) -> None:
    answer = client.post(f"{URL}/batch", json={"requests": [{"k": 1}, {"exclude": ["50"]}]})

    assert [len(slate["items"]) for slate in answer.json()["slates"]] == [1, 0]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"requests": []}, "body.requests"),
        ({"requests": [{}] * 21}, "body.requests"),
        ({"requests": [{}, {"filter": "year >"}]}, "body.requests.1.filter"),
        ({"requests": [{"validate_only": True}]}, "body.requests.0.validate_only"),
    ],
)
def test_what_is_wrong_with_a_batch_is_told_with_its_place(client: TestClient, body: object, location: str) -> None:
    answer = client.post(f"{URL}/batch", json=body)

    assert answer.status_code == 422
    assert location in {fault["location"] for fault in answer.json()["errors"]}
