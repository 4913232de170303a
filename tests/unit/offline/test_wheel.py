"""Real pip, asked for a hand-made wheel that lies in a folder: no network."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from app.errors import DataError
from app.offline.sources import WheelSource
from app.offline.wheel import find_unpacked, unpack_wheel

CONTENT = {"tinydata/files/a.txt": "first", "tinydata/files/sub/b.txt": "second", "outside.txt": "nobody's"}
METADATA = "Metadata-Version: 2.1\nName: tinydata\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO())


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WheelSource:
    """A source whose wheel is the only one pip can find."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = index / "tinydata-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in CONTENT.items():
            archive.writestr(name, text)
        archive.writestr("tinydata-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tinydata-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("tinydata-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return WheelSource(
        package="tinydata",
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        size_bytes=wheel.stat().st_size,
        inside="tinydata/files",
        members=("a.txt", "sub/b.txt"),
        terms="Do as you like.",
    )


def changed(source: WheelSource, **fields: object) -> WheelSource:
    return WheelSource(**{**{name: getattr(source, name) for name in WheelSource.__slots__}, **fields})


def test_only_the_wanted_members_are_unpacked(source: WheelSource, tmp_path: Path, console: Console) -> None:
    folder = tmp_path / "got"
    unpack_wheel(source, folder, console)
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert files == {"a.txt": "first", "sub/b.txt": "second"}


def test_nothing_is_left_beside_the_folder_but_its_stamp(source: WheelSource, tmp_path: Path, console: Console) -> None:
    unpack_wheel(source, tmp_path / "raw" / "got", console)
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == ["got", "got.fetched.json"]


def test_an_intact_folder_is_found_again(source: WheelSource, tmp_path: Path, console: Console) -> None:
    unpack_wheel(source, tmp_path / "got", console)
    assert find_unpacked(source, tmp_path / "got") == tmp_path / "got"


@pytest.mark.parametrize("harm", ["edited", "removed", "unstamped"])
def test_a_folder_that_was_touched_is_not_taken_for_intact(
    source: WheelSource, tmp_path: Path, console: Console, harm: str
) -> None:
    folder = tmp_path / "got"
    unpack_wheel(source, folder, console)
    if harm == "edited":
        (folder / "a.txt").write_text("fir5t")
    elif harm == "removed":
        (folder / "a.txt").unlink()
    else:
        (tmp_path / "got.fetched.json").unlink()
    assert find_unpacked(source, folder) is None


def test_a_folder_of_another_wheel_is_not_taken_for_intact(
    source: WheelSource, tmp_path: Path, console: Console
) -> None:
    unpack_wheel(source, tmp_path / "got", console)
    assert find_unpacked(changed(source, version="2.0"), tmp_path / "got") is None


def test_unpacking_again_repairs_the_folder(source: WheelSource, tmp_path: Path, console: Console) -> None:
    unpack_wheel(source, tmp_path / "got", console)
    (tmp_path / "got" / "a.txt").write_text("fir5t")
    unpack_wheel(source, tmp_path / "got", console)
    assert (tmp_path / "got" / "a.txt").read_text() == "first"


def test_a_wheel_of_another_hash_is_refused_unopened(source: WheelSource, tmp_path: Path, console: Console) -> None:
    with pytest.raises(DataError, match=f"expected {'0' * 64}"):
        unpack_wheel(changed(source, sha256="0" * 64), tmp_path / "got", console)
    assert list((tmp_path / "got").iterdir()) == []


def test_a_member_that_is_not_there_is_named(source: WheelSource, tmp_path: Path, console: Console) -> None:
    with pytest.raises(DataError, match=r"holds no tinydata/files/c\.txt"):
        unpack_wheel(changed(source, members=("a.txt", "c.txt")), tmp_path / "got", console)
    assert find_unpacked(source, tmp_path / "got") is None


def test_a_member_that_leads_out_of_the_folder_is_refused(
    source: WheelSource, tmp_path: Path, console: Console
) -> None:
    climbing = changed(source, members=("../../outside.txt",), inside="tinydata/files")
    with zipfile.ZipFile(tmp_path / "index" / "tinydata-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("tinydata/files/../../outside.txt", "climbed")
    wheel = tmp_path / "index" / "tinydata-1.0-py3-none-any.whl"
    climbing = changed(climbing, sha256=hashlib.sha256(wheel.read_bytes()).hexdigest())
    with pytest.raises(DataError, match="leads out of"):
        unpack_wheel(climbing, tmp_path / "a" / "b" / "got", console)
    assert not (tmp_path / "a" / "outside.txt").exists()


def test_a_package_that_pip_cannot_get_is_told_in_pips_words(
    source: WheelSource, tmp_path: Path, console: Console
) -> None:
    with pytest.raises(DataError, match=r"tinydata==9\.9 cannot be downloaded by pip \(.*tinydata==9\.9"):
        unpack_wheel(changed(source, version="9.9"), tmp_path / "got", console)
