import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from app.errors import DataError
from app.machine import describe_machine
from app.offline import report
from app.offline.report import current_commit, markdown_table, write_report


def test_both_files_are_written_with_where_they_came_from(tmp_path: Path) -> None:
    write_report(tmp_path, "speed", "Speed", "penchant bench", {"users": 3, "ndcg_at_10": 0.12345678}, "\nFast.\n")
    about = {"commit": current_commit(), "command": "penchant bench", "machine": describe_machine()}
    assert json.loads((tmp_path / "speed.json").read_text()) == {
        **about,
        "figures": {"users": 3, "ndcg_at_10": 0.123457},
    }
    made_by = f"Written by `penchant bench` at commit {about['commit']} on {about['machine']}."
    assert (tmp_path / "speed.md").read_text() == f"# Speed\n\nFast.\n\n---\n\n{made_by}\n"


def test_counts_stay_whole_numbers(tmp_path: Path) -> None:
    write_report(tmp_path, "x", "X", "x", {"events": 1_000_000}, "")
    assert '"events": 1000000\n' in (tmp_path / "x.json").read_text()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_refused_and_nothing_written(tmp_path: Path, value: float) -> None:
    with pytest.raises(DataError, match="figure ndcg is"):
        write_report(tmp_path, "x", "X", "x", {"ndcg": value}, "")
    assert list(tmp_path.iterdir()) == []


def test_a_table_has_commas_and_decimals_and_no_broken_cells() -> None:
    frame = pl.DataFrame({"what": ["a|b", "c"], "events": [1_234_567, 8], "ndcg": [0.12345, 1.0]})
    assert markdown_table(frame, decimals=3).splitlines() == [
        "| what |    events |  ndcg |",
        "|------|-----------|-------|",
        "| a\\|b | 1,234,567 | 0.123 |",
        "| c    |         8 | 1.000 |",
    ]


def test_a_long_table_with_long_cells_is_shown_whole() -> None:
    frame = pl.DataFrame({"n": range(200), "text": ["x" * 500] * 200})
    lines = markdown_table(frame).splitlines()
    assert len(lines) == 2 + 200
    assert all(line.count("x") == 500 for line in lines[2:])


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = [shutil.which("git") or pytest.skip("git is not installed"), *identity, *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    (folder / "docs" / "reports").mkdir(parents=True)
    (folder / "code.py").write_text("1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    monkeypatch.setattr(report, "REPOSITORY", folder)
    return folder


def test_a_clean_tree_is_named_by_its_commit(repository: Path) -> None:
    assert len(bytes.fromhex(current_commit())) == 6


def test_a_changed_tree_says_so(repository: Path) -> None:
    commit = current_commit()
    (repository / "code.py").write_text("2\n")
    assert current_commit() == f"{commit}+changes"


def test_a_report_just_written_is_no_change(repository: Path) -> None:
    commit = current_commit()
    (repository / "docs" / "reports" / "speed.md").write_text("fast\n")
    assert current_commit() == commit


def test_code_outside_a_repository_of_its_own_has_no_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "REPOSITORY", repository / "docs")
    assert current_commit() == "unknown"


def test_without_git_the_commit_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert current_commit() == "unknown"


def test_writing_a_report_does_not_import_torch() -> None:
    code = "import sys, app.offline.report as r; r.describe_machine(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
