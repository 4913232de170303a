from typing import Any

import pytest
from fastapi.testclient import TestClient

TWO: dict[str, Any] = {"arms": [{}, {"diversity": 0.3}]}


def test_an_experiment_is_created_read_replaced_and_ended(client: TestClient) -> None:
    created = client.post("/v1/experiments", json={"name": "mixed", **TWO})
    assert created.status_code == 201
    assert [(arm["name"], arm["diversity"]) for arm in created.json()["arms"]] == [("a", None), ("b", 0.3)]
    assert client.get("/v1/experiments/mixed").json() == created.json()
    assert client.get("/v1/experiments").json() == {"experiments": [created.json()]}
    replaced = client.put("/v1/experiments/mixed", json={**TWO, "traffic": 0.5})
    assert (replaced.status_code, replaced.json()["traffic"]) == (200, 0.5)
    assert client.put("/v1/experiments/other", json=TWO).status_code == 201
    assert client.delete("/v1/experiments/mixed").status_code == 204
    assert client.get("/v1/experiments/mixed").json()["type"].endswith("/unknown-experiment")


def test_the_same_name_twice_is_a_conflict(client: TestClient) -> None:
    body = {"name": "mixed", **TWO}
    assert [client.post("/v1/experiments", json=body).status_code for _ in range(2)] == [201, 409]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"arms": [{}]}, "at least 2 items"),
        ({"arms": [{"share": 0}, {}]}, "greater than 0"),
        ({**TWO, "effect": 0}, "greater than or equal to 0.0001"),
        ({"arms": [{"bundle": "latest"}, {}]}, "should match pattern"),
    ],
)
def test_what_makes_no_experiment_is_refused_with_the_reason(
    client: TestClient, body: dict[str, Any], message: str
) -> None:
    answer = client.put("/v1/experiments/mixed", json=body)
    assert answer.status_code == 422
    assert message in answer.json()["detail"]


def test_results_come_with_intervals_and_the_rules_for_stopping(client: TestClient) -> None:
    client.put("/v1/experiments/mixed", json=TWO)
    results = client.get("/v1/experiments/mixed/results").json()
    assert [arm["verdict"] for arm in results["arms"]] == ["base", "undecided"]
    assert results["arms"][1]["interval"]["low"] < 0 < results["arms"][1]["interval"]["high"]
    assert (results["may_stop"], results["balanced"], len(results["stop_rules"])) == (False, True, 4)


def test_online_metrics_are_rates_by_group(client: TestClient) -> None:
    answer = client.get("/v1/metrics/online", params={"by": ["arm", "bundle"], "buckets": 2}).json()
    (group,) = answer["groups"]
    assert (group["arm"], group["click_rate"], group["coverage"]) == ("mixed/base", 0.5, 0.4)
    assert (group["item_click_rate"], group["shown_click_rate"]) == (0.12, 0.25)
    assert group["took_ms"] == {"p50": 4.0, "p95": 9.0}
    assert client.get("/v1/metrics/online", params={"by": "user"}).status_code == 422


def test_shadow_traffic_is_planned_and_reported(client: TestClient) -> None:
    path = f"/v1/bundles/{'1' * 12}"
    assert client.get(f"{path}/shadow").json()["compared"] == 0
    assert client.post(f"{path}:shadow", json={"share": 0.1}).json()["share"] == 0.1
    report = client.get(f"{path}/shadow").json()
    assert (report["overlap"], report["shadow_ms"]["p95"]) == (0.8, 12.0)
    assert client.post(f"/v1/bundles/{'2' * 12}:shadow", json={"share": 0.1}).status_code == 409
    assert client.post(f"{path}:shadow", json={"share": 2}).status_code == 422
