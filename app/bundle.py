"""A bundle: everything trained and built together, under one version, loaded all together or not at all.

A folder `artifacts/<version>/` with `manifest.json` beside the files it lists. Written offline (`seal`), verified
online (`open_bundle`) before anything in it is parsed: FAISS and safetensors both load a file with a flipped bit
without complaint, so every byte is checked against its SHA-256 first.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.errors import BundleError

FORMAT = 7
MANIFEST = "manifest.json"
REPORTS = frozenset({"card.md", "metrics.json", "learning_curve.svg", "cost.json"})
"""Files that tell of a bundle without being part of what it computes: they do not change its version."""


class FileEntry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    size_bytes: int


class Manifest(BaseModel):
    """What a bundle says of itself. No clock time in it: the same data and seed give the same bytes.

    earlier: version of the bundle that it was trained on from; empty where it was trained from the pretrained models.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    version: str
    dataset: str
    dataset_digest: str
    text_model: str
    user_model: str
    recipe: str
    seed: int
    protocol: str
    earlier: str = ""
    n_items: int
    text_dim: int
    id_dim: int
    prior_dim: int
    interests: int
    history_events: int
    torch: str
    files: dict[str, FileEntry]


class Bundle:
    """A verified bundle folder. `path(name)` gives a file of it; what is inside is the business of each room."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @property
    def version(self) -> str:
        return self.manifest.version

    def path(self, name: str) -> Path:
        return self.folder / name


def seal(folder: Path, about: dict[str, object]) -> Manifest:
    """Write the manifest of `folder`: hash every file, and take the version from what the hashes say.

    about: every field of Manifest but `version`, `files` and `format`. Sealing again after only reports changed gives
    the same version.
    """
    files = {name: _entry(folder / name) for name in sorted(_files_of(folder))}
    manifest = Manifest.model_validate({**about, "version": _version_of(files), "files": files})
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n")
    return manifest


def reseal(folder: Path) -> Manifest:
    """Seal again a bundle whose reports were written after it was built."""
    about = read_manifest(folder).model_dump(exclude={"version", "files", "format"})
    return seal(folder, about)


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone, nothing checked but its form. Raises BundleError."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"no bundle at {folder}: run `make demo`, or `penchant train` for your own data")
    try:
        manifest = Manifest.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError) as invalid:
        raise BundleError(f"{path} is not a manifest of format {FORMAT}: train the bundle again") from invalid
    if manifest.format != FORMAT:
        raise BundleError(f"{path} has format {manifest.format}, this program reads {FORMAT}: train the bundle again")
    return manifest


def list_bundles(artifacts: Path) -> list[Manifest]:
    """Manifests of all bundles in a folder, by version; folders that hold none are passed over."""
    found = []
    for path in sorted(artifacts.glob(f"*/{MANIFEST}")):
        if not path.parent.is_symlink():
            with contextlib.suppress(BundleError):
                found.append(read_manifest(path.parent))
    return found


def open_bundle(folder: Path) -> Bundle:
    """Verify every file of the bundle against its manifest. Raises BundleError naming the first that is wrong."""
    manifest = read_manifest(folder)
    listed, found = set(manifest.files), set(_files_of(folder))
    if missing := sorted(listed - found):
        raise BundleError(f"bundle {manifest.version}: {missing[0]} is missing: train it again or restore the folder")
    if extra := sorted(found - listed):
        raise BundleError(f"bundle {manifest.version}: {extra[0]} is not in the manifest: remove it")
    for name, entry in manifest.files.items():
        if _entry(folder / name) != entry:
            raise BundleError(
                f"bundle {manifest.version}: {name} is damaged (its SHA-256 is not the manifest's): "
                "train it again or restore the folder"
            )
    if manifest.version != _version_of(manifest.files):
        raise BundleError(
            f"bundle {manifest.version}: {MANIFEST} is damaged (its version is not that of its files): "
            "train it again or restore the folder"
        )
    return Bundle(folder.resolve(), manifest)


def _version_of(files: Mapping[str, FileEntry]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files.keys() - REPORTS):
        digest.update(f"{name} {files[name].sha256}\n".encode())
    return digest.hexdigest()[:12]


def _files_of(folder: Path) -> Iterable[str]:
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise BundleError(f"{path} is a link: a bundle holds plain files only")
        if path.is_file() and path != folder / MANIFEST:
            yield path.relative_to(folder).as_posix()


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as stream:
        return FileEntry(sha256=hashlib.file_digest(stream, "sha256").hexdigest(), size_bytes=path.stat().st_size)
