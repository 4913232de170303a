"""What docs/guide/asking.md has people type is what the API takes."""

import json
import shlex
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt

GUIDE = Path(__file__).parents[3] / "docs/guide/asking.md"
SERVER = "http://127.0.0.1:8000"


def commands() -> list[list[str]]:
    """Each block of one curl command, as the shell would split it."""
    blocks = [token.content for token in MarkdownIt().parse(GUIDE.read_text(encoding="utf-8")) if token.type == "fence"]
    return [shlex.split(block) for block in blocks if block.startswith("curl")]


@pytest.mark.parametrize("command", commands(), ids=lambda command: command[-1][:60])
def test_each_command_of_the_guide_is_answered(client: TestClient, command: list[str]) -> None:
    path = next(word.removeprefix(SERVER) for word in command if word.startswith(SERVER))
    answer = client.post(path, json=json.loads(command[command.index("-d") + 1]))

    assert answer.status_code == 200, answer.text
