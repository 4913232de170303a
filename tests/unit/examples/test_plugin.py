"""The example plug-in, installed as a user installs it: its source and its rule are found and do what they say."""

import importlib
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.domain import Context, Item, ItemId, SlateRequest
from app.errors import SettingsError
from app.reranking.compose import compose_slate
from app.reranking.plugins import load_rules
from app.reranking.rules import SlateRules
from app.retrieval.sources.plugins import load_sources

PLUGIN = Path(__file__).parents[3] / "examples/plugin"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From a copy: a build leaves folders behind."""
    copy = shutil.copytree(PLUGIN, tmp_path_factory.mktemp("source") / "plugin")
    folder = tmp_path_factory.mktemp("site")
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(folder), str(copy)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    return folder


@pytest.fixture
def installed(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the plug-in on the path."""
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tools(*item_ids: str) -> Any:
    slots = {item_id: slot for slot, item_id in enumerate(item_ids)}
    return SimpleNamespace(catalogue=SimpleNamespace(find_slot=slots.get))


@pytest.mark.anyio
async def test_the_source_proposes_the_picks_that_may_be_shown_in_their_order(installed: Path) -> None:
    from app.retrieval.sources.base import Ask

    (installed / "editors_picks.txt").write_text("c\na\ngone\nb\n")
    (source,) = load_sources(tools("a", "b", "c"))
    request: Any = None
    ask = Ask(request, request, request, request, eligible=np.array([True, False, True]))
    assert source.name == "editors_picks"
    assert (await source.propose(ask, 5)).tolist() == [2, 0]
    assert (await source.propose(ask, 1)).tolist() == [2]


def test_the_rule_lets_one_of_a_series_stand(installed: Path) -> None:
    (rule,) = load_rules()
    series = ("moon", "moon", None, "sun", None)
    items = [Item(ItemId(str(n)), f"item {n}", properties={"series": name}) for n, name in enumerate(series)]
    request = SlateRequest(Context(at=datetime(2025, 6, 1, tzinfo=UTC)), k=5)
    scores = np.array([5, 4, 3, 2, 1], dtype=np.float32)
    slate = compose_slate(scores, np.eye(5, dtype=np.float32), 5, rules=SlateRules(caps=rule(request, items)))
    assert slate.chosen.tolist() == [0, 2, 3, 4]


def test_a_plug_in_that_cannot_be_loaded_stops_the_start(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "penchant_house.one_of_a_series", None)
    with pytest.raises(SettingsError, match="one_of_a_series"):
        load_rules()
