from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

URL = "/v1/events"


def event(event_id: str = "e1", **changes: Any) -> dict[str, Any]:
    return {"event_id": event_id, "user_id": "1", "item_id": "50", "type": "like", **changes}


def test_events_are_stored_and_counted(client: TestClient, resources: FakeResources) -> None:
    at = "2025-06-06T22:30:00+02:00"

    answer = client.post(URL, json={"events": [event("e1", type="rating", value=4.5, at=at), event("e2")]})

    assert (answer.status_code, answer.json()) == (
        200,
        {"stored": 2, "duplicates": 0, "conflicts": [], "off_scale": []},
    )
    stored, _ = resources.histories.events["e1"]
    assert (stored.user_id, stored.item_id, stored.type, stored.value) == ("1", "50", "rating", 4.5)
    assert stored.at == datetime(2025, 6, 6, 20, 30, tzinfo=UTC)


def test_an_event_tells_its_context_as_a_request_does(client: TestClient, resources: FakeResources) -> None:
    client.post(URL, json={"events": [event("e1", context={"device": "tv", "alone": True, "guests": 2.0})]})

    stored, _ = resources.histories.events["e1"]
    assert stored.features == {"device": "tv", "alone": "true", "guests": "2"}


def test_an_event_told_no_time_happened_when_it_was_received(client: TestClient, resources: FakeResources) -> None:
    before = datetime.now(UTC)

    client.post(URL, json={"events": [event()]})

    stored, received_at = resources.histories.events["e1"]
    assert before <= stored.at == received_at <= datetime.now(UTC)


def test_a_retry_counts_once_even_without_a_time(client: TestClient) -> None:
    client.post(URL, json={"events": [event()]})

    answer = client.post(URL, json={"events": [event()]})

    assert answer.json() == {"stored": 0, "duplicates": 1, "conflicts": [], "off_scale": []}


def test_a_conflict_is_named_and_the_others_are_stored(client: TestClient) -> None:
    client.post(URL, json={"events": [event("e1")]})

    answer = client.post(URL, json={"events": [event("e1", type="hide"), event("e2")]})

    assert (answer.status_code, answer.json()) == (
        200,
        {"stored": 1, "duplicates": 0, "conflicts": ["e1"], "off_scale": []},
    )


def test_nothing_but_conflicts_is_a_problem_that_names_ten(client: TestClient) -> None:
    events = [event(f"e{n}") for n in range(12)]
    client.post(URL, json={"events": events})

    answer = client.post(URL, json={"events": [{**told, "type": "hide"} for told in events]})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/event-conflict")
    assert ": e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, ..." in answer.json()["detail"]


def test_a_thousand_events_are_one_batch(client: TestClient) -> None:
    answer = client.post(URL, json={"events": [event(f"e{n}") for n in range(1_000)]})

    assert answer.json()["stored"] == 1_000


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.events"),
        ({"events": []}, "body.events"),
        ({"events": [event(f"e{n}") for n in range(1_001)]}, "body.events"),
        ({"events": [{"event_id": "e1"}]}, "body.events.0.user_id"),
        ({"events": [event(value="5")]}, "body.events.0.value"),
        ({"events": [event(value=True)]}, "body.events.0.value"),
        ({"events": [event(sen=1)]}, "body.events.0"),
        ({"events": [event(at=(datetime.now(UTC) + timedelta(days=2)).isoformat())]}, "body.events.0.at"),
        ({"events": [event(event_id="\x7f")]}, "body.events.0.event_id"),
        ({"events": [event(context={"at": "2025-06-06T20:30:00Z"})]}, "body.events.0.context"),
        ({"events": [event(context={f"f{n}": n for n in range(33)})]}, "body.events.0.context"),
        ({"events": [event(context={"device": None})]}, "body.events.0.context"),
    ],
)
def test_a_batch_out_of_bounds_is_refused_whole(
    client: TestClient, resources: FakeResources, body: object, location: str
) -> None:
    answer = client.post(URL, json=body)

    assert answer.status_code == 422
    assert location in {fault["location"] for fault in answer.json()["errors"]}
    assert resources.histories.events == {}


def test_a_clock_some_hours_ahead_is_borne_with(client: TestClient) -> None:
    answer = client.post(URL, json={"events": [event(at=(datetime.now(UTC) + timedelta(hours=23)).isoformat())]})

    assert answer.status_code == 200


def test_impressions_and_searches_are_told_beside_events(client: TestClient, resources: FakeResources) -> None:
    shown = {"event_id": "i1", "type": "impression", "slate_id": "s1", "items": ["50", "51"]}
    looked_for = {"event_id": "s1", "type": "search", "user_id": "1", "words": "robots"}

    answer = client.post(URL, json={"events": [event("e1", slate_id="s1", completion=0.5), shown, looked_for]})

    assert answer.json()["stored"] == 3
    kept = {key: told for key, (told, _) in resources.histories.events.items()}
    assert (kept["e1"].slate_id, kept["e1"].completion) == ("s1", 0.5)
    assert (kept["i1"].items, kept["i1"].user_id, kept["s1"].words) == (("50", "51"), None, "robots")


def test_ratings_beyond_their_scale_are_kept_and_named(client: TestClient) -> None:
    events = [event("e1", type="rating", value=8), event("e2", type="rating", value=5), event("e3", value=8)]

    answer = client.post(URL, json={"events": events}).json()

    assert (answer["stored"], answer["off_scale"]) == (3, ["e1"])


@pytest.mark.parametrize(
    ("told", "location"),
    [
        ({"event_id": "i1", "type": "impression", "items": ["50"]}, "body.events.0.slate_id"),
        ({"event_id": "i1", "type": "impression", "slate_id": "s", "items": []}, "body.events.0.items"),
        ({"event_id": "s1", "type": "search", "user_id": "1"}, "body.events.0.words"),
        ({"event_id": "s1", "type": "search", "user_id": "1", "words": "x", "item_id": "50"}, "body.events.0.item_id"),
        (event(completion=1.5), "body.events.0.completion"),
        (event(dwell_s=-1.0), "body.events.0.dwell_s"),
        (event(type=["like"]), "body.events.0.type"),
    ],
)
def test_each_kind_of_event_has_its_own_fields(client: TestClient, told: object, location: str) -> None:
    answer = client.post(URL, json={"events": [told]})

    assert answer.status_code == 422
    assert location in {fault["location"] for fault in answer.json()["errors"]}


def test_the_types_and_what_they_are_worth_are_listed(client: TestClient) -> None:
    answer = client.get(f"{URL}/types").json()

    types = {known["name"]: known for known in answer["types"]}
    assert types.keys() >= {"view", "click", "play", "like", "dislike", "hide", "add_to_cart", "purchase", "rating"}
    assert types["hide"]["is_refusal"]
    assert types["hide"]["is_history"]
    assert not types["impression"]["is_history"]
    assert (types["rating"]["scale"], types["like"]["scale"], types["hide"]["half_life_days"]) == (5, None, None)
    assert answer["unknown"]["weight"] == 0.3
