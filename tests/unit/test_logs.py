import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from asgi_correlation_id import correlation_id

from app.logs import configure_logging


@pytest.fixture(autouse=True)
def put_back_handlers() -> Iterator[None]:
    """Leave no handler behind that writes to the stream of this test."""
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    before = root.handlers
    yield
    root.handlers = before
    access.propagate = True
    structlog.reset_defaults()


def test_a_line_of_ours_is_json_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(json_logs=True)
    correlation_id.set("abc")

    structlog.get_logger("app.recommender").info("slate_served", k=20)

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["k"], line["level"]) == ("slate_served", 20, "info")
    assert (line["logger"], line["request_id"]) == ("app.recommender", "abc")
    assert line["timestamp"].endswith("Z")


def test_the_servers_lines_take_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(json_logs=True)

    logging.getLogger("uvicorn.error").info("Started on port %d", 8000)

    assert json.loads(capsys.readouterr().err)["event"] == "Started on port 8000"


def test_the_servers_access_lines_are_dropped_since_paths_hold_user_ids(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(json_logs=True)

    logging.getLogger("uvicorn.access").info("GET /v1/users/canary/interests")

    assert not logging.getLogger("uvicorn.access").hasHandlers()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("json_logs", [True, False])
def test_an_error_is_told_by_type_and_place_and_never_by_its_words(
    capsys: pytest.CaptureFixture[str], json_logs: bool
) -> None:
    configure_logging(json_logs=json_logs)

    try:
        _look_up("canary")
    except ValueError:
        structlog.get_logger("app").exception("crashed")

    line = capsys.readouterr().err
    assert "KeyError" in line
    assert "ValueError" in line
    assert "_look_up" in line
    assert "canary" not in line


def test_configuring_twice_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(json_logs=True)
    configure_logging(json_logs=True)

    structlog.get_logger("app").info("once")

    assert len(capsys.readouterr().err.splitlines()) == 1


def _look_up(user_id: str) -> None:
    try:
        {}[user_id]
    except KeyError as missing:
        raise ValueError(f"no user {user_id}") from missing
