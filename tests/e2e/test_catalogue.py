"""The catalogue over HTTP on two workers: changed, hidden, imported while slates are served, exported."""

import json
import threading
import time
from typing import Any

from server import TURNS, Server, everywhere, item_ids, wait_until

JSONL = {"Content-Type": "application/jsonl"}


def patch(server: Server, item_id: str, change: dict[str, Any], expect: int = 200) -> Any:
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = server.fetch("PATCH", f"/v1/items/{item_id}", content=json.dumps(change), headers=headers)
    assert answer.status_code == expect, answer.text
    return answer.json()


def start_import(server: Server, items: list[dict[str, Any]], expect: int = 202) -> Any:
    lines = "\n".join(json.dumps(item) for item in items)
    answer = server.fetch("POST", "/v1/items/import", content=lines, headers=JSONL, timeout=60)
    assert answer.status_code == expect, answer.text
    return answer.json()


def finish_import(server: Server, job_id: str, timeout_s: float = 120) -> Any:
    path = f"/v1/items/import/{job_id}"
    wait_until(lambda: server.ask("GET", path)["state"] != "running", timeout_s, lambda: str(server.ask("GET", path)))
    return server.ask("GET", path)


def test_a_patch_is_seen_in_the_very_next_slate(server: Server) -> None:
    first = server.recommend(k=60)["items"][0]
    changed = patch(server, first["item_id"], {"properties": {"price": 3.5}})
    assert changed["properties"]["price"] == 3.5
    assert changed["title"] == first["properties"]["title"]
    wait_until(everywhere(lambda: _price(server, first["item_id"]) == 3.5), 1.0)
    patch(server, "no-such-item", {"hidden": True}, expect=404)
    patch(server, first["item_id"], {"title": None}, expect=422)


def _price(server: Server, item_id: str) -> Any:
    (item,) = (item for item in server.recommend(k=60)["items"] if item["item_id"] == item_id)
    return item["properties"].get("price")


def test_a_hidden_item_is_gone_from_every_worker_within_a_second_and_comes_back(server: Server) -> None:
    item_id = item_ids(server.recommend(k=1))[0]
    patch(server, item_id, {"hidden": True})
    started = time.monotonic()
    wait_until(everywhere(lambda: item_id not in item_ids(server.recommend(k=60))), 10)
    assert time.monotonic() - started < 1.0 + TURNS * 0.2
    assert server.ask("GET", f"/v1/items/{item_id}")["hidden"]
    assert item_id in server.ask("POST", "/v1/rank", {"items": [item_id, "i1"]})["served_by"]["unknown_items"]
    patch(server, item_id, {"hidden": False})
    wait_until(everywhere(lambda: item_id in item_ids(server.recommend(k=60))), 10)


def test_declared_properties_are_held_against_every_item_that_is_written(server: Server) -> None:
    server.ask("PUT", "/v1/items/schema", {"properties": {"year": "number", "filmed_at": "geo"}})
    for _ in range(TURNS):
        body = {"title": "A film", "properties": {"filmed_at": "Lisbon"}}
        problem = server.ask("PUT", "/v1/items/misfit", body, expect=422)
        assert problem["type"].endswith("/property-misfit")
        assert "filmed_at" in problem["detail"]
    server.ask("PUT", "/v1/items/fitting", {"title": "A film", "properties": {"filmed_at": [38.7, -9.1]}}, expect=201)
    patch(server, "fitting", {"properties": {"year": "old"}}, expect=422)
    server.ask("PUT", "/v1/items/schema", {"properties": {}})


def test_items_are_imported_while_slates_are_served_without_one_failed_request(server: Server) -> None:
    items = [{"item_id": f"n{n}", "title": f"film {n} of space and robots", "categories": ["new"]} for n in range(600)]
    items.append({"item_id": "broken"})
    statuses: list[int] = []
    over = threading.Event()

    def hammer() -> None:
        while not over.is_set():
            body = {"words": "space robots", "k": 10}
            statuses.append(server.fetch("POST", "/v1/recommendations", json=body).status_code)

    client = threading.Thread(target=hammer)
    client.start()
    try:
        job = finish_import(server, start_import(server, items)["job_id"])
    finally:
        over.set()
        client.join()
    assert (job["state"], job["n_lines"], job["n_created"], job["n_failed"]) == ("done", 601, 600, 1)
    assert job["errors"] == [{"line": 601, "message": "title: Field required"}]
    assert set(statuses) == {200}
    wait_until(everywhere(lambda: _unknown(server, "n599") == []), 10)


def _unknown(server: Server, item_id: str) -> list[str]:
    return server.ask("POST", "/v1/rank", {"items": [item_id]})["served_by"]["unknown_items"]


def test_what_is_exported_can_be_imported_again(server: Server) -> None:
    exported = server.fetch("GET", "/v1/items/export", timeout=60)
    items = [json.loads(line) for line in exported.text.splitlines()]
    assert [item["item_id"] for item in items] == sorted(item["item_id"] for item in items)
    assert len(items) >= 60
    job = finish_import(server, start_import(server, items)["job_id"])
    assert (job["n_created"], job["n_replaced"], job["n_failed"]) == (0, len(items), 0)


def test_a_body_that_is_no_import_is_refused_and_an_unknown_job_too(server: Server) -> None:
    answer = server.fetch("POST", "/v1/items/import", json=[{"item_id": "a"}])
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")
    server.ask("GET", "/v1/items/import/none", expect=404)
