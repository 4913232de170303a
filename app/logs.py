"""Log lines: one form for ours, the standard library's and uvicorn's, to read or as JSON.

No line holds a user id, a request's path or a body: what is logged is named field by field, and an error is told by
its type and place alone.
"""

import logging
import sys
from typing import TYPE_CHECKING

import structlog
from asgi_correlation_id import correlation_id
from structlog.stdlib import ProcessorFormatter

if TYPE_CHECKING:
    from structlog.typing import EventDict, ExcInfo, Processor

HANDLER_NAME = "penchant"


def configure_logging(*, json_logs: bool) -> None:
    """Send structlog's and the standard library's lines, uvicorn's too, to stderr in one form. May be called again."""
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        structlog.processors.ExceptionRenderer(_tell_where),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *chain, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    _replace_handler(_make_handler(chain, json_logs=json_logs))
    logging.getLogger("app").setLevel(logging.INFO)
    _take_over_uvicorn()


def _make_handler(chain: "list[Processor]", *, json_logs: bool) -> logging.Handler:
    """chain: what lines of the standard library go through, as structlog's own do."""
    renderer: Processor = structlog.processors.JSONRenderer()
    if not json_logs:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    handler = logging.StreamHandler()
    handler.name = HANDLER_NAME
    handler.setFormatter(
        ProcessorFormatter(foreign_pre_chain=chain, processors=[ProcessorFormatter.remove_processors_meta, renderer])
    )
    return handler


def _replace_handler(handler: logging.Handler) -> None:
    """Beside the root logger's other handlers, in the place of ours from an earlier call."""
    root = logging.getLogger()
    root.handlers = [kept for kept in root.handlers if kept.name != HANDLER_NAME] + [handler]


def _add_request_id(_logger: object, _method: str, event: "EventDict") -> "EventDict":
    if (request_id := correlation_id.get()) is not None:
        event["request_id"] = request_id
    return event


def _tell_where(exc_info: "ExcInfo") -> str:
    """Types and places of an error and of its causes. What they say is left out: it may quote what a client sent."""
    trace = structlog.tracebacks.extract(*exc_info, show_locals=False)
    return "\ncaused by ".join(
        "\n  ".join(
            [stack.exc_type, *(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in stack.frames[::-1])]
        )
        for stack in trace.stacks
    )


def _take_over_uvicorn() -> None:
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    access = logging.getLogger("uvicorn.access")  # its lines hold paths, and paths hold user ids
    access.handlers.clear()
    access.propagate = False
