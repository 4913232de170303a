import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from app import cli
from app.errors import BundleError
from app.settings import Settings

ROOT = Path(__file__).parents[2]


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    group = group or typer.main.get_command(cli.app)
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


PATHS = list(commands())
GROUPS = {(), ("data",), ("bundle",), ("benchmark",)}
COMMANDS = [path for path in PATHS if path not in {*GROUPS, ("benchmark", "report")}]  # which reads files alone


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PENCHANT_")]:
        monkeypatch.delenv(name)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`penchant ...` in a process of its own, which would fail rather than import torch, FAISS or polars."""
    code = (
        "import sys\n"
        "for heavy in ('torch', 'faiss', 'transformers', 'polars'): sys.modules[heavy] = None\n"
        "from app.cli import main\n"
        "main()"
    )
    told = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1", **environment}
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=told)


def test_help_needs_nothing_heavy() -> None:
    outcome = run("--help")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "serve" in outcome.stdout


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_help_with_a_sentence(path: tuple[str, ...]) -> None:
    outcome = CliRunner().invoke(cli.app, [*path, "--help"], env={"COLUMNS": "200"})
    assert outcome.exit_code == 0
    assert "Usage:" in outcome.stdout
    command: Any = typer.main.get_command(cli.app)
    for name in path:
        command = command.commands[name]
    assert (command.help or "").strip().endswith(".")


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != ("events",)], ids=" ".join)
def test_every_command_takes_every_setting_as_a_flag(path: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(cli.app)
    for name in path:
        command = command.commands[name]
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert {f"--{name.replace('_', '-')}" for name in Settings.model_fields} <= flags


def test_an_error_of_ours_is_one_line_and_status_1() -> None:
    outcome = run("bundle", "list", PENCHANT_BUNDLE_DIR="artifacts/current")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")  # nothing there is no error
    outcome = run("serve", PENCHANT_DEVICE="cpu", PENCHANT_REDIS_URL="memory://")
    assert outcome.returncode == 1
    assert len(outcome.stderr.splitlines()) == 1
    assert outcome.stderr.startswith("penchant: no bundle at artifacts/current: run `make demo`")


def test_main_turns_the_error_tree_into_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise BundleError("it is broken: mend it")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert (stopped.value.code, capsys.readouterr().err) == (1, "penchant: it is broken: mend it\n")


def told_settings(*flags: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What `serve` is given for these flags."""
    given: list[Settings] = []
    monkeypatch.setattr("app.serve.serve_forever", given.append)
    outcome = CliRunner().invoke(cli.app, ["serve", *flags])
    assert outcome.exit_code == 0, outcome.output
    return given[0]


def test_a_flag_counts_more_than_the_environment_and_that_more_than_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("penchant.toml").write_text("port = 1\nworkers = 1\nthreads = 1")
    monkeypatch.setenv("PENCHANT_WORKERS", "2")
    monkeypatch.setenv("PENCHANT_THREADS", "2")
    settings = told_settings("--threads", "3", monkeypatch=monkeypatch)
    assert (settings.port, settings.workers, settings.threads, settings.host) == (1, 2, 3, "127.0.0.1")


@pytest.mark.parametrize(("flag", "value"), [("--port", "70000"), ("--workers", "many"), ("--json-logs", "perhaps")])
def test_a_flag_that_makes_no_sense_is_named_with_its_value(flag: str, value: str) -> None:
    outcome = CliRunner().invoke(cli.app, ["serve", flag, value], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert outcome.exit_code == 2
    assert f"setting {flag.removeprefix('--').replace('-', '_')}" in outcome.output
    assert value in outcome.output


@pytest.mark.parametrize(
    ("flag", "value", "told"),
    [("--protocol", "lou", "'loo', 'time'"), ("--text-model", "none", "does not exist"), ("--seed", "x", "integer")],
)
def test_an_option_that_makes_no_sense_is_told_before_anything_is_fetched(flag: str, value: str, told: str) -> None:
    outcome = CliRunner().invoke(cli.app, ["train", "x", flag, value], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert outcome.exit_code == 2
    assert told in outcome.output


def test_a_key_of_the_file_that_is_no_setting_is_named() -> None:
    Path("penchant.toml").write_text("prot = 1")
    outcome = CliRunner().invoke(cli.app, ["serve"], env={"COLUMNS": "200"})
    assert outcome.exit_code == 2
    assert "setting prot" in outcome.output


def test_a_file_that_is_no_toml_is_named() -> None:
    Path("penchant.toml").write_text("port: 1")
    outcome = run("serve")
    assert outcome.returncode == 1
    assert len(outcome.stderr.splitlines()) == 1
    assert "penchant.toml" in outcome.stderr


def test_a_file_that_the_environment_names_must_be_there() -> None:
    outcome = run("serve", PENCHANT_CONFIG_FILE="none.toml")
    assert (outcome.returncode, outcome.stderr) == (
        1,
        "penchant: PENCHANT_CONFIG_FILE names none.toml, which is not there\n",
    )


def test_bundles_are_listed_by_version(tiny_bundle: Path) -> None:
    outcome = CliRunner().invoke(cli.app, ["bundle", "list", "--bundle-dir", str(tiny_bundle.parent / "current")])
    assert outcome.stdout == f"{tiny_bundle.name}  tiny  tiny  loo\n"


def test_a_whole_bundle_is_verified(tiny_bundle: Path) -> None:
    outcome = CliRunner().invoke(cli.app, ["bundle", "verify", "--bundle-dir", str(tiny_bundle), "--device", "cpu"])
    assert outcome.stdout == f"bundle {tiny_bundle.name} is whole and answers as it did when it was trained\n"
