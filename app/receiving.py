"""A deadline for receiving a request, which uvicorn has none of: 400 of 400 half-sent requests stayed open for good.

A client that sends a byte a second would hold a connection, and with it memory, for as long as it likes.
"""

import asyncio
import json
from typing import Any
from uuid import uuid4

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SLOWEST_BYTES_PER_S = 8_192
"""A body may take the deadline, and a second more for each so many bytes of it that came: large ones are no attack."""

LINGER_S = 1.0
"""After the refusal. Closed at once while bytes still come, the connection is reset, and the refusal lost with it."""

TOO_SLOW = (
    "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
    "x-request-id: {request_id}\r\ncontent-length: {length}\r\n\r\n{problem}"
)
PROBLEM = {
    "type": "/problems/too-slow",
    "title": "The request did not arrive in time",
    "status": 408,
    "detail": "Send it again over a better line.",
}

log = structlog.get_logger(__name__)


class DeadlineProtocol(HttpToolsProtocol):
    """One connection. From its opening, and from the first byte of each later request, the clock runs until the
    request is complete. While the application itself is slow to take the body, it does not run.

    receive_s: seconds for a request's head, and for its body apart from what SLOWEST_BYTES_PER_S grants.
    """

    def __init__(self, *args: Any, receive_s: float, **more: Any) -> None:
        super().__init__(*args, **more)
        self._receive_s = receive_s
        self._deadline_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._deadline_s is None:
            self._start_clock()
        elif self.cycle is not None and self.cycle.more_body:
            self._deadline_s += len(data) / SLOWEST_BYTES_PER_S
        super().data_received(data)

    def on_message_complete(self) -> None:
        self._stop_clock()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def _start_clock(self) -> None:
        self._deadline_s = self.loop.time() + self._receive_s
        self._wait(self._receive_s)

    def _stop_clock(self) -> None:
        self._deadline_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """The timer rang: is it too late, or has the body earned more time since it was set?"""
        if self._deadline_s is None or self.transport.is_closing():
            return
        if self.flow.read_paused:
            self._deadline_s = self.loop.time() + self._receive_s
        if (left_s := self._deadline_s - self.loop.time()) > 0:
            self._wait(left_s)
            return
        request_id = uuid4().hex
        log.info("request_too_slow", receive_s=self._receive_s, request_id=request_id)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            problem = json.dumps({**PROBLEM, "request_id": request_id})
            self.transport.write(TOO_SLOW.format(request_id=request_id, length=len(problem), problem=problem).encode())
        self._refused = True
        if self.transport.can_write_eof():  # not over TLS
            self.transport.write_eof()
            self._timer = self.loop.call_later(LINGER_S, self.transport.close)
        else:
            self.transport.close()
