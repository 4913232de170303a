from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.errors import StoreUnavailable


def test_ready_says_what_was_checked(client: TestClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {
        "bundle": "bundle-1",
        "store": "writable",
        "cache": "memory: this process only",
    }
    assert client.get("/healthz").json() == answer.json()


def test_what_cannot_serve_is_not_ready_but_alive(client: TestClient, resources: FakeResources) -> None:
    resources.health.error = StoreUnavailable("/var/penchant.sqlite3: the disk is full")

    ready, alive = client.get("/readyz"), client.get("/livez")

    assert (ready.status_code, ready.json()["type"]) == (503, "/problems/store-unavailable")
    assert alive.json() == {"status": "alive"}


def test_metrics_are_told_by_the_route_and_never_by_the_path(client: TestClient) -> None:
    client.get("/v1/users/canary-user/interests")

    metrics = client.get("/metrics")

    assert metrics.headers["content-type"].startswith("text/plain; version=")
    line = 'penchant_requests_total{method="GET",route="/v1/users/{user_id:path}/interests",status="404"}'
    assert line in metrics.text
    assert "canary" not in metrics.text


def test_slates_and_what_they_lacked_are_counted(client: TestClient, resources: FakeResources) -> None:
    resources.recommender.degraded = ("only_in_this_test",)

    client.post("/v1/recommendations", json={})

    assert 'penchant_degraded_total{reason="only_in_this_test"} 1.0' in client.get("/metrics").text


def test_methods_a_client_invents_share_one_label(client: TestClient) -> None:
    client.request("BREW", "/v1/events")

    metrics = client.get("/metrics").text

    assert 'method="other",route="/v1/events",status="405"' in metrics
    assert "BREW" not in metrics
