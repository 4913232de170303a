"""The blocks of our pages that talk to a server: curl in a shell, Python, JavaScript."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from app.offline.report import REPOSITORY

ADDRESS = "127.0.0.1:8000"
"""Where every page has its server. A block that does not name it is not for the server, and is left to other tests."""

LANGUAGES = {"sh": "sh", "bash": "sh", "python": "python", "js": "js", "javascript": "js"}

FOLLOWED_ELSEWHERE = {"docs/guide/your-own-data.md"}
"""Pages about a catalogue of their own, which tests of their own follow from the first command to the last."""


@dataclass(frozen=True)
class Block:
    """line: of the page, counted from 1."""

    language: str
    line: int
    code: str


def pages() -> list[Path]:
    found = [*sorted(REPOSITORY.glob("README*.md")), *sorted((REPOSITORY / "docs/guide").rglob("*.md"))]
    elsewhere = {REPOSITORY / page for page in FOLLOWED_ELSEWHERE}
    return [page for page in found if page not in elsewhere and any(blocks(page))]


def blocks(page: Path) -> Iterator[Block]:
    """In their order. An indented block is a shell's if curl is called in it."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if ADDRESS not in token.content:
            continue
        line = (token.map or [0])[0] + 1
        if token.type == "code_block" and "curl " in token.content:
            yield Block("sh", line, token.content)
        elif token.type == "fence" and token.info in LANGUAGES:
            yield Block(LANGUAGES[token.info], line, token.content)
