"""The five recipes: their files fit what reads them, and their people's habits can be learned."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.api.schemas.placements import NewPlacement
from app.api.schemas.recommendations import RecommendationRequest
from app.offline.clean import clean
from app.offline.columns import get_mapping
from app.settings import FILE_VARIABLE, Settings

RECIPES = Path(__file__).parents[3] / "examples/recipes"
NAMES = sorted(path.parent.name for path in RECIPES.glob("*/make_data.py"))

each_recipe = pytest.mark.parametrize("name", NAMES)


def make_data(name: str, folder: Path) -> Path:
    subprocess.run([sys.executable, str(RECIPES / name / "make_data.py"), str(folder)], check=True)
    return folder


def read(name: str, file: str) -> Any:
    return json.loads((RECIPES / name / file).read_text())


def test_there_are_five() -> None:
    assert len(NAMES) == 5


@each_recipe
def test_every_row_is_kept_and_the_same_seed_gives_the_same_tables(name: str, tmp_path: Path) -> None:
    one, other = make_data(name, tmp_path / "one"), make_data(name, tmp_path / "other")
    assert (one / "events.csv").read_bytes() == (other / "events.csv").read_bytes()
    mapping = get_mapping(str(RECIPES / name / "mapping.toml"), ())
    report = clean(one / "events.csv", one / "items.csv", mapping, tmp_path / "data", name)
    assert (report.events.kept, report.items.kept) == (report.events.read, report.items.read)
    assert len(report.context) == 2


@each_recipe
def test_every_type_of_event_has_a_weight_of_its_own(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(RECIPES / name / "settings.toml"))
    told = Settings().event_types
    happened = pl.read_csv(make_data(name, tmp_path) / "events.csv")["type"].unique()
    assert set(happened) == set(told)


@each_recipe
def test_placements_and_questions_are_what_the_api_takes(name: str, tmp_path: Path) -> None:
    items = set(pl.read_csv(make_data(name, tmp_path) / "items.csv")["item_id"])
    surfaces = {NewPlacement.model_validate(placement).name for placement in read(name, "placements.json")}
    questions = [RecommendationRequest.model_validate(question) for question in read(name, "ask.json")]
    assert set() < {question.placement for question in questions if question.placement} <= surfaces
    assert {event.item_id for question in questions for event in question.history} <= items


@pytest.mark.slow
@each_recipe
def test_one_command_leads_from_nothing_to_slates(
    name: str, bert_folder: Path, llama_folder: Path, tmp_path: Path
) -> None:
    """With the tests' own models in place of the base model, which would have to be fetched."""
    command = [sys.executable, str(RECIPES / "run.py"), name, "--folder", str(tmp_path)]
    models = f"--text-model {bert_folder} --user-model {llama_folder}"
    one_thread = {**os.environ, "PENCHANT_THREADS": "1"}  # half the time of two that wait for each other
    done = subprocess.run([*command, "--train", models], env=one_thread, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    slates = done.stdout.split("\n{")[1:]
    assert [len(slate.strip().splitlines()) - 1 for slate in slates] == [
        question.get("k") or next(p["k"] for p in read(name, "placements.json") if p["name"] == question["placement"])
        for question in read(name, "ask.json")
    ]
