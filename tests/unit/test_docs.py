"""The pages say what is so: generated blocks are current, links lead somewhere, commands and settings exist."""

import json
import math
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token
from typer.testing import CliRunner

from app import telemetry
from app.api.schemas.recommendations import RecommendationRequest
from app.cli import app
from app.domain import Rung, Source
from app.interests.cache import CacheCounts
from app.offline.doc_blocks import FIGURES, METRICS, SETTINGS, Block, Figures, replace_block
from app.offline.report import REPOSITORY
from app.settings import Settings

PAGES = [
    *sorted(REPOSITORY.glob("*.md")),
    REPOSITORY / "models/README.md",
    *sorted((REPOSITORY / "examples").rglob("*.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
IMAGE_OF_HTML = re.compile(r"(?:src|srcset)=\"([^\"]+)\"")
DEGRADED = re.compile(r"\"((?:[a-z]+_)+(?:unread|unavailable|overloaded|not_measured))\"")
"""What `served_by.degraded` may say, as code writes it: the names end alike."""
OTHER_VARIABLES = {"PENCHANT_TORCH", "PENCHANT_RECIPE", "PENCHANT_CONFIG_FILE", "PENCHANT_REQUIRE_REDIS", "PENCHANT_"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())


def tokens_of(page: Path) -> Iterator[Token]:
    for token in MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links_of(page: Path) -> list[str]:
    return [str(token.attrGet("href")) for token in tokens_of(page) if token.type == "link_open"]


def headings_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def command_lines() -> list[str]:
    """Every line of a code block, those that end with a backslash joined to the next."""
    blocks = [token.content for page in PAGES for token in tokens_of(page) if token.type in {"fence", "code_block"}]
    return [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def commands(program: str) -> list[str]:
    return sorted({line.partition("  #")[0].strip() for line in command_lines() if line.startswith(f"{program} ")})


def read_committed(path: str) -> str | None:
    """A file as the last commit has it; None where it has none, or where this is no checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "show", f"HEAD:{path}"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize("block", [SETTINGS, METRICS], ids=lambda block: block.name)
def test_generated_blocks_are_current(block: Block) -> None:
    page = (REPOSITORY / block.page).read_text(encoding="utf-8")
    assert replace_block(page, block.name, block.render()) == page, "run `python -m app.offline.doc_blocks`"


LABELS = {
    "`stage`": get_args(telemetry.StageName),
    "`rung`": tuple(Rung),
    "`source`": tuple(source for source in Source if source is not Source.CALLER),
    "`queue`": get_args(telemetry.QueueName),
    "`cache`": get_args(telemetry.CacheName),
    "`how`": get_args(telemetry.ReadingHow),
    "`reason` of `penchant_refusals_total`": get_args(telemetry.RefusalReason),
    "`outcome` of `penchant_shadow_total`": get_args(telemetry.ShadowOutcome),
    "`outcome` of `penchant_slate_log_total`": get_args(telemetry.SlateLogOutcome),
    "`outcome` of `penchant_cache_total`": get_args(telemetry.CacheOutcome),
    "`outcome`": tuple(field.name for field in fields(CacheCounts)),
}


def values_told() -> dict[str, str]:
    """Of the table of label values in the guide to metrics: label to what its row says."""
    page = (REPOSITORY / "docs/guide/metrics.md").read_text(encoding="utf-8")
    rows = page.partition("## Values of the labels")[2].partition("\n## ")[0].splitlines()
    return {row.split(" | ")[0].strip("| "): row.split(" | ", 1)[1] for row in rows if row.startswith("| `")}


@pytest.mark.parametrize("label", LABELS)
def test_the_values_of_a_metrics_label_are_all_told_and_no_others(label: str) -> None:
    named = re.findall(r"`([^`]+)`", values_told()[label])
    settings_alone = set(Settings.model_fields) - set(LABELS[label])
    assert sorted(name for name in named if name not in settings_alone) == sorted(LABELS[label])


def test_the_route_given_as_an_example_is_one() -> None:
    from app.api.items import router

    (example, *others) = re.findall(r"`([^`]+)`", values_told()["`route`"])
    assert example in {getattr(route, "path", None) for route in router.routes}
    assert others == ["console", "documentation", "unmatched"]


@pytest.mark.parametrize("figures", FIGURES, ids=lambda block: f"{block.page}, {block.name}")
def test_figures_in_the_readme_are_those_of_the_report(figures: Figures) -> None:
    """Of the report that is here, or of the committed one: `make demo` measures anew on whatever machine it runs."""
    committed, here = read_committed(figures.report), REPOSITORY / figures.report
    if committed is None:
        pytest.skip(f"no {figures.report} is committed here to hold the README against")
    reports = [committed, *([here.read_text(encoding="utf-8")] if here.is_file() else [])]
    page = (REPOSITORY / figures.page).read_text(encoding="utf-8")
    written = [replace_block(page, figures.name, figures.table(json.loads(report))) for report in reports]
    assert page in written, "run `python -m app.offline.doc_blocks`"


@each_page
def test_links_lead_to_files_that_exist(page: Path) -> None:
    here = {link.partition("#")[0] for link in links_of(page) if "://" not in link} - {""}
    assert {link for link in here if not (page.parent / link).exists()} == set()


@each_page
def test_pictures_shown_exist(page: Path) -> None:
    html = [picture for token in tokens_of(page) for picture in IMAGE_OF_HTML.findall(token.content)]
    shown = [*html, *(str(token.attrGet("src")) for token in tokens_of(page) if token.type == "image")]
    assert [picture for picture in shown if "://" not in picture and not (page.parent / picture).is_file()] == []


def test_headings_that_links_name_exist() -> None:
    """Within the guide, named as GitHub names them: lower case, spaces to hyphens, other signs dropped."""
    folder = REPOSITORY / "docs/guide"
    missing = []
    for page in folder.glob("*.md"):
        for link in links_of(page):
            path, _, heading = link.partition("#")
            target = folder / path if path else page
            if heading and "://" not in link and target.parent == folder and heading not in headings_of(target):
                missing.append((page.name, link))
    assert missing == []


def test_decisions_are_numbered_once_and_listed_in_order_under_their_titles() -> None:
    pages = sorted((REPOSITORY / "docs/decisions").glob("0*.md"))
    titles = [page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in pages]
    listed = (REPOSITORY / "docs/decisions/README.md").read_text(encoding="utf-8").splitlines()
    want = [f"- [{page.name[:4]}]({page.name}) {title}" for page, title in zip(pages, titles, strict=True)]
    assert [line for line in listed if line.startswith("- ")] == want
    assert len({page.name[:4] for page in pages}) == len(pages)


def test_architecture_names_every_room_and_every_degraded_answer() -> None:
    page = (REPOSITORY / "docs/guide/architecture.md").read_text(encoding="utf-8")
    rooms = {f"app/{room.parent.name}" for room in (REPOSITORY / "app").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}`" not in page} == set()
    online = [path for path in (REPOSITORY / "app").rglob("*.py") if "offline" not in path.parts]
    said = {name for path in online for name in DEGRADED.findall(path.read_text(encoding="utf-8"))}
    assert {"words_unread", "evidence_not_measured", "interest_cache_unavailable"} <= said
    assert {name for name in said if f"`{name}`" not in page} == set()


def test_the_score_guides_arithmetic_comes_out() -> None:
    """Wherever the page writes numbers on both sides of an equals sign, or a sum and its value in a table."""
    page = (REPOSITORY / "docs/guide/score.md").read_text(encoding="utf-8").replace("**", "")
    page = re.sub(r"^\|(.*)\|$", lambda row: row[1].replace("|", "="), page, flags=re.MULTILINE)
    page = re.sub(r"\b(?:text|id|context|prior|trend|rules) (?=-?\d)", "", page)
    page = re.sub(r"(?<=\d),(?=\d{3})", "", page).replace("\N{MULTIPLICATION SIGN}", "*")
    page = re.sub(r"\bln (\d+)", r"ln(\1)", page)
    n_equations = 0
    for run in re.findall(r"(?:\b(?:ln|tanh)\b|[-\d.+*/()= ])+", page):
        sides = [side.strip(" .") for side in run.split("=")]
        told = [side for side in sides if re.search(r"\d", side) and side.count("(") == side.count(")")]
        values = [_value_of(side) for side in told] if len(sides) > 1 else []
        n_equations += len(values) > 1
        assert all(value == pytest.approx(values[0], abs=0.005) for value in values), run
    assert n_equations >= 20


def _value_of(expression: str) -> float:
    told: float = eval(expression, {"__builtins__": {}, "ln": math.log, "tanh": math.tanh})  # noqa: S307
    return told


def test_every_task_is_told_in_three_languages() -> None:
    page = REPOSITORY / "docs/guide/tasks.md"
    sections = page.read_text(encoding="utf-8").split("\n## ")[1:]
    told = {section.partition("\n")[0]: set(re.findall(r"^```(\w+)$", section, re.MULTILINE)) for section in sections}
    assert {name: languages for name, languages in told.items() if languages != {"sh", "python", "js"}} == {}


def test_the_table_of_asking_has_every_field_of_a_request() -> None:
    page = (REPOSITORY / "docs/guide/asking.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", page.partition("## Only some items")[0], re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(RecommendationRequest.model_fields)


def test_both_readmes_show_the_same() -> None:
    """The same links, pictures and commands, in the same order; what stands between them is each language's own."""
    assert shown_by(REPOSITORY / "README.zh-CN.md") == shown_by(REPOSITORY / "README.md")


def shown_by(readme: Path) -> dict[str, list[str]]:
    tokens = list(tokens_of(readme))
    code = [re.sub(r"  # .*", "", token.content) for token in tokens if token.type == "code_block"]
    return {
        "links": sorted({link for link in links_of(readme) if not link.startswith("README")}),
        "pictures": [picture for token in tokens for picture in IMAGE_OF_HTML.findall(token.content)],
        "code": [block for block in code if "─►" not in block],
    }


def test_make_help_has_its_explanations_in_one_column() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert {len(re.match(r"make \S+ +", line)[0]) for line in told.splitlines()} == {27}  # type: ignore[index]


def test_every_page_is_in_the_list_of_its_folder() -> None:
    for folder in (REPOSITORY / "docs/guide", REPOSITORY / "docs/decisions"):
        listed = {token.attrGet("href") for token in tokens_of(folder / "README.md") if token.type == "link_open"}
        assert {page.name for page in folder.glob("*.md")} - {"README.md"} <= listed


@each_page
def test_variables_named_are_settings(page: Path) -> None:
    settings = {f"PENCHANT_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"PENCHANT_[A-Z_]*", page.read_text(encoding="utf-8"))) <= settings | OTHER_VARIABLES


@pytest.mark.parametrize("line", commands("penchant"))
def test_commands_named_exist_with_their_arguments(line: str) -> None:
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands"):
        assert words, f"{command.name} is a group: which of its commands?"
        assert words[0] in command.commands, f"penchant has no command {words[0]!r}"
        command = command.commands[words.pop(0)]
    context = command.context_class(command)
    told, left_over, _ = command.make_parser(context).parse_args(words)  # raises on a flag that does not exist
    assert left_over == []
    assert {parameter.name for parameter in command.params if parameter.required} <= told.keys()


def test_the_guides_example_is_cleaned_as_the_guide_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = REPOSITORY / "docs/guide/your-own-data.md"
    blocks = {token.info: token.content for token in tokens_of(guide) if token.type == "fence" and token.info != "sh"}
    subprocess.run([sys.executable, "-"], input=blocks["python"], cwd=tmp_path, text=True, check=True)
    monkeypatch.chdir(tmp_path)
    (line,) = (line for line in commands("penchant") if line.startswith("penchant data clean orders"))
    by_flags = CliRunner().invoke(app, shlex.split(line)[1:])
    (tmp_path / "shop.toml").write_text(blocks["toml"])
    by_file = CliRunner().invoke(app, shlex.split("data clean orders.csv books.csv --name again --mapping shop.toml"))

    said = {re.sub(" +", " ", line) for line in by_flags.output.splitlines()}
    assert {re.sub(" +", " ", line) for line in blocks["text"].splitlines() if line} <= said
    written = [(tmp_path / "var/data" / name / "events.parquet").read_bytes() for name in ("books", "again")]
    assert written[0] == written[1]
    assert by_file.exit_code == 0


def test_make_targets_named_exist() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    named = {line.split()[1] for line in commands("make")}
    assert named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


def test_the_readme_gives_the_commands_that_the_demo_prints() -> None:
    from app.offline.demo import _HINT  # torch comes with it: not when tests are collected

    lines = [line.strip() for line in _HINT.format(url="http://127.0.0.1:8000").splitlines()]
    printed = [line for line in lines if line.startswith(("curl", "{"))]
    in_readme = [line.strip() for line in (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()]
    assert len(printed) == 6
    assert [line for line in printed if line not in in_readme] == []
