import json
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
    assert created.json() == client.get("/v1/items/n1").json() == {"item_id": "n1", "hidden": False, **FILM}


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
        "hidden": False,
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


def test_a_patch_changes_what_it_names_and_nothing_else(client: TestClient, resources: FakeResources) -> None:
    patch = {"title": "Star Wars", "properties": {"year": None, "price": 3}}
    headers = {"Content-Type": "application/merge-patch+json"}

    answer = client.request("PATCH", "/v1/items/50", content=json.dumps(patch), headers=headers)

    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["properties"]) == ("Star Wars", {"price": 3})
    assert resources.catalogue.items["50"].categories == ("Action", "Sci-Fi")
    assert client.patch("/v1/items/50", json={"hidden": True}).json()["hidden"]
    assert client.patch("/v1/items/50", json={"categories": None}).json()["categories"] == []


@pytest.mark.parametrize(
    ("patch", "location"),
    [
        ({"title": None}, "body.title"),
        ({"title": " "}, "body.title"),
        ({"hidden": "yes"}, "body.hidden"),
        ({"nonsense": "x"}, "body"),
        ({"properties": {str(n): 1 for n in range(100)}}, "body.properties"),
    ],
)
def test_a_patch_that_leaves_no_item_changes_nothing(
    client: TestClient, resources: FakeResources, patch: object, location: str
) -> None:
    before = resources.catalogue.items["50"]

    answer = client.patch("/v1/items/50", json=patch)

    assert answer.status_code == 422
    assert location in {fault["location"] for fault in answer.json()["errors"]}
    assert resources.catalogue.items["50"] == before


def test_a_patch_of_nothing_is_of_no_item(client: TestClient) -> None:
    assert client.patch("/v1/items/ghost", json={"hidden": True}).status_code == 404


def test_declared_properties_are_held_against_what_is_written(client: TestClient) -> None:
    assert client.get("/v1/items/schema").json() == {"properties": {}}
    declared = {"properties": {"year": "string", "filmed_at": "geo"}}

    assert client.put("/v1/items/schema", json=declared).json() == {**declared, "misfits": {"year": 1}}

    assert client.get("/v1/items/schema").json() == declared
    for answer in (
        client.put("/v1/items/x", json={"title": "X", "properties": {"filmed_at": [91, 0]}}),
        client.patch("/v1/items/50", json={"properties": {"filmed_at": "Tunisia"}}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/property-misfit")
        assert "'filmed_at' should be [latitude, longitude]" in answer.json()["detail"]
    assert client.put("/v1/items/schema", json={"properties": {"year": "colour"}}).status_code == 422


JSONL = {"Content-Type": "application/jsonl"}


def test_an_import_takes_lines_and_names_those_that_are_no_items(client: TestClient, resources: FakeResources) -> None:
    lines = ['{"item_id": "a", "title": "A"}', '{"item_id": "b"}', "{", '{"item_id": "export", "title": "E"}']
    client.put("/v1/items/schema", json={"properties": {"year": "number"}})
    lines.append('{"item_id": "c", "title": "C", "properties": {"year": "old"}}')

    answer = client.post("/v1/items/import", content="\n".join(lines), headers=JSONL)

    assert answer.status_code == 202
    job = client.get(f"/v1/items/import/{answer.json()['job_id']}").json()
    assert (job["n_lines"], job["n_created"], job["n_failed"]) == (5, 1, 4)
    told = {error["line"]: error["message"] for error in job["errors"]}
    assert told[2] == "title: Field required"
    assert told[3].startswith("Invalid JSON")
    assert "name of a route" in told[4]
    assert "'year' should be a number" in told[5]
    assert resources.catalogue.items["a"].title == "A"


@pytest.mark.parametrize(
    ("content", "headers", "status", "problem"),
    [
        (b"\n \n", JSONL, 422, "invalid-request"),
        (b'{"item_id": "a", "title": "A"}', {"Content-Type": "application/json"}, 415, "unsupported-media-type"),
        (b"{}\n" * 50_001, JSONL, 413, "import-too-large"),
        (b"x" * 400_001, JSONL, 413, "body-too-large"),
    ],
)
def test_a_body_that_is_no_import_is_refused(
    client: TestClient, content: bytes, headers: dict[str, str], status: int, problem: str
) -> None:
    answer = client.post("/v1/items/import", content=content, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


def test_an_import_that_nobody_started_is_unknown(client: TestClient) -> None:
    answer = client.get("/v1/items/import/nothing")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-import")


def test_what_is_exported_can_be_imported(client: TestClient, resources: FakeResources) -> None:
    client.put("/v1/items/a", json={"title": "A", "properties": {"x": [1, None]}, "hidden": True})
    before = dict(resources.catalogue.items)

    exported = client.get("/v1/items/export")
    resources.catalogue.items.clear()
    client.post("/v1/items/import", content=exported.content, headers=JSONL)

    assert exported.headers["content-type"].startswith("application/jsonl")
    assert [json.loads(line)["item_id"] for line in exported.text.splitlines()] == ["50", "a"]
    assert resources.catalogue.items == before


@pytest.mark.parametrize("path", ["export", "import", "import/x"])
def test_the_name_of_a_route_is_no_item_id(client: TestClient, path: str) -> None:
    assert client.put(f"/v1/items/{path}", json={"title": "T"}).status_code == 405
    assert client.put(f"/v1/items/x/{path}", json={"title": "T"}).status_code == 201
