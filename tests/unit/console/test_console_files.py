"""The console's files, and how they are served. What they do in a browser is in tests/browser/test_console.py."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_fakes import FakeResources
from fastapi.testclient import TestClient

import app.console
from app.main import create_app
from app.settings import Settings

STATIC = Path(app.console.__file__).parent / "static"
VENDOR = STATIC / "vendor"
OURS = [path for path in sorted(STATIC.rglob("*")) if path.is_file() and VENDOR not in path.parents]


@pytest.fixture
def guarded() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(api_key="secret"), FakeResources().open)) as client:  # type: ignore[arg-type]
        yield client


def test_the_page_is_served_without_a_key_and_with_a_strict_policy(guarded: TestClient) -> None:
    answer = guarded.get("/console")  # with or without the slash

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "font-src")} == {"'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_file_comes_with_its_type_and_is_checked_for_anew(guarded: TestClient, path: Path) -> None:
    answer = guarded.get(f"/console/{path.relative_to(STATIC).as_posix()}")

    kind = {".js": "javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg"}[path.suffix]
    assert answer.content == path.read_bytes()
    assert kind in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "no-cache"
    again = guarded.get(answer.url.path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_file_that_is_not_there_is_a_problem_and_no_page(guarded: TestClient) -> None:
    for path in ("/console/nowhere.js", "/console/../main.py", "/console/%2e%2e/__init__.py", "/consoles"):
        answer = guarded.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_pages_are_counted_as_the_console(guarded: TestClient) -> None:
    guarded.get("/console/")

    counted = guarded.get("/metrics", headers={"X-API-Key": "secret"}).text
    assert 'penchant_requests_total{method="GET",route="console",status="200"}' in counted


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]", text) == []
    assert not re.search(r"\beval\(|new Function|innerHTML|dangerouslySetInnerHTML|javascript:", text)
    if path.suffix == ".html":
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".js"], ids=lambda path: path.name)
def test_every_import_leads_to_a_file(path: Path) -> None:
    for target in re.findall(r'from "([^"]+)"', path.read_text(encoding="utf-8")):
        assert (path.parent / target).is_file(), target


def test_what_is_vendored_is_byte_for_byte_what_the_manifest_says() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))

    told = {f"{entry['folder']}/{name}": digest for entry in manifest for name, digest in entry["sha256"].items()}
    files = [path for path in VENDOR.rglob("*") if path.is_file() and path.name != "manifest.json"]
    found = {path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == told
    for entry in manifest:
        assert all(entry[name] for name in ("npm_package", "version", "license"))
        assert any(name.startswith("LICENSE") for name in entry["sha256"])
