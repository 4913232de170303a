"""The one writer of reports: `<name>.md` for people beside `<name>.json` for programs.

The JSON is `{"commit", "command", "machine", "figures": {name: number}}`. No clock time in either file: the same
figures from the same commit on the same machine give the same bytes.
"""

import json
import math
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from app.errors import DataError
from app.machine import describe_machine
from app.offline.atomic import replace_text

REPOSITORY = Path(__file__).parents[2]
DECIMALS = 6


def write_report(
    folder: Path, name: str, title: str, command: str, figures: Mapping[str, float], body_markdown: str
) -> None:
    """Write both files, each replaced whole.

    command: what a reader types to get the same report. figures: finite numbers, units in their names; fractions are
    rounded to 6 decimals so that noise of the last bit makes no difference. Raises DataError for NaN or infinity.
    """
    about = {"commit": current_commit(), "command": command, "machine": describe_machine()}
    rounded = {figure: _round(figure, value) for figure, value in figures.items()}
    made_by = f"Written by `{command}` at commit {about['commit']} on {about['machine']}."
    replace_text(folder / f"{name}.md", f"# {title}\n\n{body_markdown.strip()}\n\n---\n\n{made_by}\n")
    replace_text(
        folder / f"{name}.json", json.dumps({**about, "figures": rounded}, indent=1, ensure_ascii=False) + "\n"
    )


def markdown_table(frame: pl.DataFrame, *, decimals: int | None = None) -> str:
    """All of `frame` as a Markdown table, commas between thousands. decimals: of floats; None: as many as they have."""
    escaped = frame.with_columns(pl.col(pl.String).str.replace_all("|", r"\|", literal=True))
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=65_535,
        fmt_str_lengths=65_535,
        fmt_float="full",
        float_precision=decimals,
        thousands_separator=",",
        tbl_cell_numeric_alignment="RIGHT",
    ):
        return str(escaped)


def current_commit() -> str:
    """Commit the running code was checked out at, "+changes" after it when the tree differs, else "unknown".

    Reports themselves are not counted as changes: a program that writes two would mark the second by the first.
    """
    git = shutil.which("git")
    if git is None or _run(git, "rev-parse", "--show-toplevel") != str(REPOSITORY):
        return "unknown"
    commit = _run(git, "rev-parse", "--short=12", "HEAD")
    if not commit:
        return "unknown"
    changed = _run(git, "status", "--porcelain", "--", ".", ":(exclude)docs/reports")
    return f"{commit}+changes" if changed else commit


def _round(figure: str, value: float) -> float:
    if not math.isfinite(value):
        raise DataError(f"figure {figure} is {value}: a report holds finite numbers, leave out what was not measured")
    return value if isinstance(value, int) else round(float(value), DECIMALS)


def _run(*command: str) -> str:
    """Standard output of a git command, "" where it fails."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    done = subprocess.run(  # noqa: S603 - the words are constants
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
