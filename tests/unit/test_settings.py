import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, and no variable of ours."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PENCHANT_")]:
        monkeypatch.delenv(name)


def write(text: str, path: str = "penchant.toml") -> None:
    Path(path).write_text(text)


def test_untold_the_default_counts() -> None:
    assert (Settings().host, Settings().port, Settings().workers) == ("127.0.0.1", 8000, 1)


def test_a_file_counts_more_than_the_default() -> None:
    write("port = 1\nworkers = 3")
    assert (Settings().port, Settings().workers, Settings().host) == (1, 3, "127.0.0.1")


def test_the_environment_counts_more_than_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("port = 1\nworkers = 3")
    monkeypatch.setenv("PENCHANT_PORT", "2")
    assert (Settings().port, Settings().workers) == (2, 3)


def test_a_flag_counts_more_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    write("port = 1")
    monkeypatch.setenv("PENCHANT_PORT", "2")
    assert Settings(port=3).port == 3


def test_the_file_may_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    write("port = 1")
    write("port = 2", "other.toml")
    monkeypatch.setenv("PENCHANT_CONFIG_FILE", "other.toml")
    assert Settings().port == 2


def test_a_key_that_is_no_setting_is_refused_by_name() -> None:
    write("prot = 1")
    with pytest.raises(ValidationError, match="prot"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "65536"), ("port", "-1"), ("workers", "0"), ("threads", "-1"), ("history_events", "513"), ("port", "x")],
)
def test_a_value_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PENCHANT_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith((".", "?"))


def test_the_database_is_in_the_data_folder_unless_told() -> None:
    assert Settings(data_dir="/srv/p").database_url == "sqlite:////srv/p/penchant.sqlite3"
    assert Settings(data_dir="x", database_url="sqlite:///y.db").database_url == "sqlite:///y.db"


def test_settings_survive_the_way_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Settings(port=1, data_dir="a b/c", bundle_dir="x", redis_url="memory://", json_logs=True, threads=3)
    for name, value in told.as_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == told


def test_what_a_worker_is_told_counts_more_than_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("workers = 9\njson_logs = true")
    for name, value in Settings(workers=2, json_logs=False).as_environment().items():
        monkeypatch.setenv(name, value)
    assert (Settings().workers, Settings().json_logs) == (2, False)


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1
