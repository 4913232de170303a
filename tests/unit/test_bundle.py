import json
import shutil
from pathlib import Path

import pytest

from app.bundle import MANIFEST, list_bundles, open_bundle, read_manifest, reseal, seal
from app.errors import BundleError

ABOUT: dict[str, object] = {
    "dataset": "films",
    "dataset_digest": "d",
    "text_model": "t",
    "user_model": "u",
    "recipe": "tiny",
    "seed": 0,
    "protocol": "loo",
    "n_items": 1,
    "text_dim": 1,
    "id_dim": 1,
    "prior_dim": 1,
    "interests": 1,
    "history_events": 1,
    "torch": "2",
}
FILES = ("a.bin", "inner/b.bin", "metrics.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "inner").mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(b"what was trained: " + name.encode())
    seal(folder, ABOUT)
    return folder


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_sealed_folder_opens_and_gives_its_files(folder: Path) -> None:
    bundle = open_bundle(folder)
    assert bundle.version == read_manifest(folder).version
    assert bundle.path("inner/b.bin").read_bytes() == b"what was trained: inner/b.bin"
    assert bundle.manifest.files["a.bin"].size_bytes == 23


def test_a_link_to_a_bundle_opens_as_the_bundle(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(folder, target_is_directory=True)
    assert open_bundle(tmp_path / "current").folder == folder


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_found_and_the_file_named(folder: Path, name: str) -> None:
    flip_a_bit(folder / name)
    with pytest.raises(BundleError, match=f"{name} is damaged"):
        open_bundle(folder)


def test_a_flipped_bit_is_found_in_every_file_of_a_real_bundle(tiny_bundle: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_bundle, tmp_path / "copy"))
    for name in read_manifest(copy).files:
        flip_a_bit(copy / name)
        with pytest.raises(BundleError, match=f"{name} is damaged"):
            open_bundle(copy)
        flip_a_bit(copy / name)
    open_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        open_bundle(folder)


@pytest.mark.parametrize("name", ["more.bin", "inner/more.bin", f"inner/{MANIFEST}"])
def test_a_file_that_was_not_sealed_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("more")
    with pytest.raises(BundleError, match=f"{name} is not in the manifest"):
        open_bundle(folder)


@pytest.mark.parametrize("place", ["link", "inner/link"])
def test_a_link_inside_is_refused_whatever_it_leads_to(folder: Path, place: str) -> None:
    (folder / place).symlink_to(folder / "a.bin")
    with pytest.raises(BundleError, match=r"link is a link: a bundle holds plain files only"):
        open_bundle(folder)


def test_no_bundle_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle at .*: run `make demo`"):
        open_bundle(tmp_path / "none")


@pytest.mark.parametrize("content", ["", "{}", "[1]", "{" * 9, "\xff"])
def test_a_manifest_of_another_form_is_refused(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_bytes(content.encode("latin-1"))
    with pytest.raises(BundleError, match=r"manifest.json is not a manifest of format 7"):
        open_bundle(folder)


def rewrite_manifest(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


def test_another_format_is_refused_with_both_numbers(folder: Path) -> None:
    rewrite_manifest(folder, format=1)
    with pytest.raises(BundleError, match="has format 1, this program reads 7"):
        open_bundle(folder)


def test_a_field_we_do_not_know_is_refused(folder: Path) -> None:
    rewrite_manifest(folder, novelty=1)
    with pytest.raises(BundleError, match="not a manifest of format 7"):
        open_bundle(folder)


def test_a_version_that_is_not_its_files_is_refused(folder: Path) -> None:
    """The version is part of every cached vector's key: a wrong one would bring back another bundle's vectors."""
    rewrite_manifest(folder, version="0" * 12)
    with pytest.raises(BundleError, match=r"manifest.json is damaged"):
        open_bundle(folder)


def test_the_same_files_give_the_same_version_wherever_they_are(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert seal(copy, ABOUT).version == read_manifest(folder).version


@pytest.mark.parametrize("name", ["a.bin", "inner/b.bin"])
def test_what_is_computed_with_decides_the_version(folder: Path, name: str) -> None:
    before = read_manifest(folder).version
    flip_a_bit(folder / name)
    assert reseal(folder).version != before


def test_reports_change_the_manifest_and_not_the_version(folder: Path) -> None:
    before = read_manifest(folder)
    (folder / "metrics.json").write_text('{"ndcg10": 1}')
    (folder / "card.md").write_text("# Card")
    after = reseal(folder)
    assert after.version == before.version
    assert after.files["metrics.json"] != before.files["metrics.json"]
    assert open_bundle(folder).manifest == after


def test_only_bundles_are_listed_each_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(folder, target_is_directory=True)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / MANIFEST).write_text("{")
    (tmp_path / "empty").mkdir()
    assert list_bundles(tmp_path) == [read_manifest(folder)]


def test_no_artifacts_list_no_bundles(tmp_path: Path) -> None:
    assert list_bundles(tmp_path / "none") == []
