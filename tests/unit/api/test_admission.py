"""What is refused before any work is done on it, and that the probes never are."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

from app.domain import Slate, SlateRequest
from app.main import create_app
from app.settings import Settings

ASK = ("/v1/recommendations", {"k": 1})


class Held(FakeResources):
    """Answers slates when told to go on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.go_on = asyncio.Event()
        self.entered = asyncio.Semaphore(0)
        answer = self.recommender.recommend

        async def recommend(request: SlateRequest) -> Slate:
            self.entered.release()
            await self.go_on.wait()
            return await answer(request)

        self.recommender.recommend = recommend  # type: ignore[method-assign]


@pytest.mark.anyio
async def test_past_the_bound_a_request_is_refused_at_once_and_the_others_are_answered() -> None:
    held = Held()
    app = create_app(Settings(max_in_flight=2), held.open)
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(_with_state(app, state))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            waiting = [asyncio.create_task(client.post(ASK[0], json=ASK[1])) for _ in range(2)]
            for _ in waiting:
                await held.entered.acquire()
            refused = await client.post(ASK[0], json=ASK[1])
            probe = await client.get("/livez")
            held.go_on.set()
            answered = [await task for task in waiting]
            again = await client.post(ASK[0], json=ASK[1])

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json()["type"].endswith("/overloaded")
    assert probe.status_code == 200
    assert [answer.status_code for answer in (*answered, again)] == [200, 200, 200]


def _with_state(app, state):  # type: ignore[no-untyped-def]  # what a server does with what the lifespan yields
    async def with_state(scope, receive, send):  # type: ignore[no-untyped-def]
        await app({**scope, "state": dict(state)}, receive, send)

    return with_state


@pytest.fixture
def limited() -> Iterator[TestClient]:
    settings = Settings(rate_limit="3/minute", api_key="one-key,other-key", redis_url="memory://")
    with TestClient(create_app(settings, FakeResources().open)) as client:
        yield client


def ask(client: TestClient, key: str) -> httpx2.Response:
    return client.post(ASK[0], json=ASK[1], headers={"X-API-Key": key})


def test_each_key_gets_what_is_granted_and_then_429_with_when_to_come_back(limited: TestClient) -> None:
    answers = [ask(limited, "one-key") for _ in range(4)]
    other = ask(limited, "other-key")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"default";q=3;w=60'}
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json()["type"].endswith("/too-many-requests")
    assert other.status_code == 200


def test_guessing_keys_is_limited_too(limited: TestClient) -> None:
    assert [ask(limited, f"guess {n}").status_code for n in range(4)] == [401, 401, 401, 429]
    assert ask(limited, "one-key").status_code == 200


def test_probes_and_documentation_are_not_limited(limited: TestClient) -> None:
    assert {limited.get(path).status_code for path in ("/livez", "/readyz", "/openapi.json") for _ in range(5)} == {200}


def test_there_is_no_limit_unless_one_is_set() -> None:
    with TestClient(create_app(Settings(), FakeResources().open)) as client:
        answers = [client.post(ASK[0], json=ASK[1]) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_a_redis_that_is_gone_lets_neither_everybody_through_nor_nobody(tmp_path: Path) -> None:
    settings = Settings(rate_limit="3/minute", redis_url=f"unix://{tmp_path / 'no.sock'}")
    with TestClient(create_app(settings, FakeResources().open)) as client:
        answers = [client.post(ASK[0], json=ASK[1]).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
