import io
from pathlib import Path

import pytest
from rich.console import Console

from app.errors import DataError
from app.offline.fetch import fetch_movielens
from app.offline.sources import ALL_MINILM_L6_V2, MOVIELENS_100K, WheelSource


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip can reach nothing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


@pytest.mark.usefixtures("no_index")
def test_the_terms_are_shown_before_anything_is_fetched(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=1_000)
    with pytest.raises(DataError, match="cannot be downloaded"):
        fetch_movielens(tmp_path, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert MOVIELENS_100K.terms in shown


@pytest.mark.parametrize("duty", ["research use", "do not pass it on", "no commercial use", "Harper and Konstan"])
def test_the_terms_of_movielens_name_each_duty(duty: str) -> None:
    assert duty in MOVIELENS_100K.terms


@pytest.mark.parametrize("source", [MOVIELENS_100K, ALL_MINILM_L6_V2])
def test_a_source_is_pinned_to_one_version_and_one_hash(source: WheelSource) -> None:
    assert source.requirement == f"{source.package}=={source.version}"
    assert len(bytes.fromhex(source.sha256)) == 32


@pytest.mark.usefixtures("no_index")
def test_what_is_there_intact_is_taken_without_asking_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offline.fetch.find_unpacked", lambda source, folder: folder)
    console = Console(file=io.StringIO())
    assert fetch_movielens(tmp_path, console) == tmp_path / "raw" / "ml-100k"
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]
