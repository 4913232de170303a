import pytest
from fastapi.testclient import TestClient

ACTIVE, BESIDE, DAMAGED, UNKNOWN = (digit * 12 for digit in "0129")


def test_bundles_are_listed_with_which_one_answers(client: TestClient) -> None:
    bundles = client.get("/v1/bundles").json()["bundles"]
    assert [(bundle["version"], bundle["active"]) for bundle in bundles] == [
        (ACTIVE, True),
        (BESIDE, False),
        (DAMAGED, False),
    ]


def test_one_is_read_with_its_card_metrics_and_files(client: TestClient) -> None:
    bundle = client.get(f"/v1/bundles/{BESIDE}").json()
    assert (bundle["card"], bundle["metrics"], bundle["files"]["card.md"]["size_bytes"]) == (
        "# A card",
        {"ndcg": 0.1},
        7,
    )


def test_verify_activate_and_roll_back(client: TestClient) -> None:
    assert client.post(f"/v1/bundles/{BESIDE}:verify").json()["bytes"] == 7
    assert client.post("/v1/bundles:rollback").json()["type"].endswith("/nothing-before")
    assert client.post(f"/v1/bundles/{BESIDE}:activate").json()["before"] == ACTIVE
    assert client.post("/v1/bundles:rollback").json()["version"] == ACTIVE


@pytest.mark.parametrize("verb", ["verify", "activate"])
def test_a_damaged_one_is_refused_with_what_is_wrong(client: TestClient, verb: str) -> None:
    answer = client.post(f"/v1/bundles/{DAMAGED}:{verb}")
    assert (answer.status_code, answer.json()["detail"]) == (409, "space.safetensors is damaged")


@pytest.mark.parametrize("verb", ["", ":verify", ":activate"])
def test_an_unknown_one_is_not_found(client: TestClient, verb: str) -> None:
    answer = client.request("POST" if verb else "GET", f"/v1/bundles/{UNKNOWN}{verb}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-bundle")
