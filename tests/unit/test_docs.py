"""The pages say what is so: generated blocks are current, links lead somewhere, commands and settings exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from app.cli import app
from app.offline.doc_blocks import DEMO_REPORT, FIGURES, METRICS, SETTINGS, Block, replace_block
from app.offline.report import REPOSITORY
from app.settings import Settings

PAGES = [
    *sorted(REPOSITORY.glob("*.md")),
    REPOSITORY / "models/README.md",
    *sorted((REPOSITORY / "docs/guide").glob("*.md")),
    *sorted((REPOSITORY / "docs/decisions").glob("*.md")),
]
OTHER_VARIABLES = {"PENCHANT_TORCH", "PENCHANT_CONFIG_FILE", "PENCHANT_REQUIRE_REDIS", "PENCHANT_"}


@pytest.mark.parametrize("block", [SETTINGS, METRICS, FIGURES], ids=lambda block: block.name)
def test_generated_blocks_are_current(block: Block) -> None:
    if block is FIGURES and not (REPOSITORY / DEMO_REPORT).is_file():
        pytest.skip(f"{DEMO_REPORT} is not there: `make demo` writes it")
    page = (REPOSITORY / block.page).read_text()
    assert replace_block(page, block.name, block.render()) == page, "run `python -m app.offline.doc_blocks`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = REPOSITORY / "docs/decisions"
    listed = set(re.findall(r"\]\(([^)]+)\)", (folder / "README.md").read_text()))
    assert listed == {page.name for page in folder.glob("0*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_variables_named_are_settings(page: Path) -> None:
    settings = {f"PENCHANT_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"PENCHANT_[A-Z_]*", page.read_text())) <= settings | OTHER_VARIABLES


def commands_named() -> list[str]:
    lines = [
        line.strip() for page in PAGES for line in page.read_text().splitlines() if line.startswith("    penchant ")
    ]
    return sorted(set(lines))


@pytest.mark.parametrize("line", commands_named())
def test_commands_named_exist_with_their_flags(line: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"penchant has no command {words[0]!r}"
        command = command.commands[words.pop(0)]
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= flags


def test_make_targets_named_exist() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    named = {target for page in PAGES for target in re.findall(r"^    make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
