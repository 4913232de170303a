from typing import Any

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

RULES = {
    "k": 10,
    "sources": {"interests": 100, "trending": 5},
    "pins": {"2": "50"},
    "caps": {"Horror": 1},
    "sponsored": {"share": 0.2, "label": "Ad"},
    "diversity": 0.3,
    "diversifier": "mmr",
}


def test_what_was_put_is_read_back_with_its_defaults(client: TestClient) -> None:
    put = client.put("/v1/placements/home", json=RULES)

    assert put.status_code == 201
    assert put.json() == client.get("/v1/placements/home").json()
    rules = put.json()["rules"]
    assert {name: rules[name] for name in RULES if name != "sponsored"} == {
        name: value for name, value in RULES.items() if name != "sponsored"
    }
    assert rules["sponsored"] == {"share": 0.2, "label": "Ad", "filter": "sponsored = true"}
    assert (rules["novelty"], rules["max_per_category"]) == (0.0, None)


def test_a_change_makes_the_next_version_and_the_earlier_ones_can_be_read(client: TestClient) -> None:
    client.put("/v1/placements/home", json=RULES)
    changed = client.put("/v1/placements/home", json={"k": 3})

    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert client.get("/v1/placements/home?version=1").json()["rules"]["k"] == 10
    versions = client.get("/v1/placements/home/versions").json()["versions"]
    assert [version["version"] for version in versions] == [2, 1]
    listed = client.get("/v1/placements").json()["placements"]
    assert [(placement["name"], placement["version"]) for placement in listed] == [("home", 2)]


def test_a_deleted_placement_is_gone_but_for_its_versions(client: TestClient) -> None:
    client.post("/v1/placements", json={"name": "home"})

    assert client.delete("/v1/placements/home").status_code == 204
    assert client.get("/v1/placements/home").json()["type"] == "/problems/unknown-placement"
    assert client.delete("/v1/placements/home").status_code == 404
    assert client.get("/v1/placements").json() == {"placements": []}
    assert client.get("/v1/placements/home/versions").json()["versions"][0]["rules"] is None


def test_creating_what_is_there_is_a_conflict(client: TestClient) -> None:
    assert client.post("/v1/placements", json={"name": "home", "k": 3}).status_code == 201

    answer = client.post("/v1/placements", json={"name": "home", "k": 4})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/placement-exists")
    assert client.get("/v1/placements/home").json()["rules"]["k"] == 3


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ({"k": 0}, "body.k"),
        ({"diversity": 1.5}, "body.diversity"),
        ({"sources": {"interests": -1}}, "body.sources"),
        ({"pins": {"0": "50"}}, "body.pins"),
        ({"pins": {"501": "50"}}, "body.pins"),
        ({"caps": {"Horror": 0}}, "body.caps"),
        ({"sponsored": {}}, "body.sponsored.share"),
        ({"diversfier": "mmr"}, "body"),
    ],
)
def test_rules_that_make_no_sense_are_refused_and_change_nothing(
    client: TestClient, resources: FakeResources, rules: dict[str, Any], place: str
) -> None:
    answer = client.put("/v1/placements/home", json=rules)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["detail"].startswith(place)
    assert resources.placements.all_versions == []


def test_a_filter_that_cannot_be_read_is_refused(client: TestClient) -> None:
    for rules in ({"filter": "year >"}, {"sponsored": {"share": 0.1, "filter": "paid ="}}):
        answer = client.put("/v1/placements/home", json=rules)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-filter")


def test_a_source_that_nobody_knows_is_refused(client: TestClient, resources: FakeResources) -> None:
    answer = client.put("/v1/placements/home", json={"sources": {"interest": 5}})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/placement-refused")
    assert resources.placements.all_versions == []


@pytest.mark.parametrize("name", ["Home", "a b", "-x", "x" * 65])
def test_a_name_of_another_form_is_refused(client: TestClient, name: str) -> None:
    assert client.put(f"/v1/placements/{name}", json={}).status_code == 422


def test_a_request_carries_its_placement_and_its_own_knobs(client: TestClient, resources: FakeResources) -> None:
    client.post("/v1/recommendations", json={"placement": "home", "diversity": 0.5, "exploration": 0})

    request = resources.recommender.request
    assert request is not None
    assert (request.k, request.placement) == (0, "home")
    assert (request.diversity, request.novelty, request.exploration) == (0.5, None, 0.0)
