"""A request that does not come in time is cut off; one that is only large, or slow to be answered, is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn

from app.api.problems import Problem
from app.receiving import SLOWEST_BYTES_PER_S, DeadlineProtocol

pytestmark = pytest.mark.anyio

RECEIVE_S = 0.3
HEAD = b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: %d\r\n\r\n"


async def answer_with_its_length(scope: Any, receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(RECEIVE_S * 2)
    body = str(size).encode()
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    await send(head)
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    protocol: Any = partial(DeadlineProtocol, receive_s=RECEIVE_S)
    config = uvicorn.Config(answer_with_its_length, port=0, http=protocol, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag alone
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()
    server.should_exit = True
    await serving


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nhost: te", HEAD % 10 + b"123"])
async def test_half_a_request_is_cut_off(sent: bytes) -> None:
    async with connection() as (reader, writer), asyncio.timeout(10):
        writer.write(sent)
        answer = await reader.read()
    head, _, body = answer.decode().partition("\r\n\r\n")
    problem = Problem.model_validate_json(body)
    assert head.startswith("HTTP/1.1 408")
    assert problem.type == "/problems/too-slow"
    assert f"x-request-id: {problem.request_id}" in head


async def test_a_byte_now_and_then_does_not_keep_it_open() -> None:
    async with connection() as (reader, writer), asyncio.timeout(10):
        writer.write(HEAD % 1_000)
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait({answer}, timeout=0.02)
        assert (await answer).startswith(b"HTTP/1.1 408")


async def test_a_large_body_may_take_the_longer() -> None:
    part = b"x" * (SLOWEST_BYTES_PER_S // 2)
    async with connection() as (reader, writer), asyncio.timeout(10):
        writer.write(HEAD % (4 * len(part)))
        for _ in range(4):  # 0.8 s together, which is past the deadline
            writer.write(part)
            await asyncio.sleep(0.2)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")


async def test_an_answer_may_take_longer_and_the_connection_serves_the_next_request() -> None:
    async with connection() as (reader, writer), asyncio.timeout(10):
        for _ in range(2):
            writer.write(b"GET /slow HTTP/1.1\r\nhost: test\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(1) == b"0"
