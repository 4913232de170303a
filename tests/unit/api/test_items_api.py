from typing import Any

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

FILM = {
    "title": "Night Train",
    "categories": ["Mystery"],
    "description": "A teacher\nleaves.",
    "properties": {"year": 2013, "rating": 7.5, "seen": False, "poster": None, "tags": ["a", 1, 2.5, True, None]},
}


def test_a_new_item_is_created_and_read_back_as_written(client: TestClient) -> None:
    created = client.put("/v1/items/n1", json=FILM)

    assert created.status_code == 201
    assert created.json() == client.get("/v1/items/n1").json() == {"item_id": "n1", **FILM}


def test_an_item_that_is_there_is_replaced_whole(client: TestClient) -> None:
    client.put("/v1/items/n1", json=FILM)

    replaced = client.put("/v1/items/n1", json={"title": "  Day Train "})

    assert replaced.status_code == 200
    assert replaced.json() == {
        "item_id": "n1",
        "title": "Day Train",
        "categories": [],
        "description": "",
        "properties": {},
    }


def test_a_deleted_item_is_gone_and_leaves_no_body(client: TestClient) -> None:
    deleted = client.delete("/v1/items/50")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get("/v1/items/50").status_code == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_item_that_is_not_there_is_unknown(client: TestClient, method: str) -> None:
    answer = client.request(method, "/v1/items/ghost")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-item")


@pytest.mark.parametrize("path", ["films/a/b", "films%2Fa%2Fb"])
def test_an_id_may_hold_slashes(client: TestClient, resources: FakeResources, path: str) -> None:
    client.put(f"/v1/items/{path}", json={"title": "T"})

    assert "films/a/b" in resources.catalogue.items


def test_whole_numbers_of_any_size_come_back_as_they_were(client: TestClient) -> None:
    client.put("/v1/items/n1", json={"title": "T", "properties": {"isbn": 10**25}})

    assert client.get("/v1/items/n1").json()["properties"] == {"isbn": 10**25}


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({"title": " "}, "body.title"),
        ({"title": "x" * 501}, "body.title"),
        ({"title": None}, "body.title"),
        ({"categories": [""]}, "body.categories.0"),
        ({"categories": ["x"] * 101}, "body.categories"),
        ({"description": "x" * 20_001}, "body.description"),
        ({"properties": {"nested": {"a": 1}}}, "body.properties"),
        ({"properties": {"\x00": 1}}, "body.properties"),
        ({"properties": {f"p{n}": n for n in range(101)}}, "body.properties"),
        ({"item_id": "n2"}, "body.item_id"),
    ],
)
def test_an_item_out_of_bounds_is_refused(client: TestClient, changes: dict[str, Any], location: str) -> None:
    answer = client.put("/v1/items/n1", json={**FILM, **changes})

    assert answer.status_code == 422
    assert location in {fault["location"] for fault in answer.json()["errors"]}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
@pytest.mark.parametrize("value", ["%s", "[%s]"])
def test_properties_hold_finite_numbers_only(client: TestClient, number: str, value: str) -> None:
    body = '{"title": "T", "properties": {"p": %s}}' % (value % number)

    answer = client.put("/v1/items/n1", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/v1/items/", "/v1/items/%00", "/v1/items/" + "x" * 257])
def test_an_id_in_the_path_keeps_the_bounds_of_ids(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (422, "path.item_id")
