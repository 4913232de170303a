import json
import subprocess
from pathlib import Path

import pytest

from app.offline import training_report
from app.offline.dataset import Dataset
from app.offline.training_cost import TrainingCost
from app.offline.training_report import measure, write
from app.settings import Settings

FAST, SLOW = TrainingCost(90.0, 120.0, 2**30), TrainingCost(1_800.0, 2_000.0, 3 * 2**30)


def test_the_report_tells_each_recipe_in_minutes_and_gibibytes(tiny_dataset: Dataset, tmp_path: Path) -> None:
    write({"fast": FAST, "cpu": SLOW}, tiny_dataset, tmp_path)
    report = json.loads((tmp_path / "training.json").read_text())
    assert report["figures"]["fast.cpu_s"] == 90
    assert report["figures"]["events"] == len(tiny_dataset.rows)
    rows = [line.split("|")[1:-1] for line in (tmp_path / "training.md").read_text().splitlines() if line[:1] == "|"]
    assert [[cell.strip() for cell in row] for row in rows[2:]] == [
        ["fast", "1.5", "2.0", "1.0"],
        ["cpu", "30.0", "33.3", "3.0"],
    ]


def test_each_training_starts_from_nothing_in_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []

    def train(command: list[str], *, env: dict[str, str], check: bool) -> None:
        own = Path(env["PENCHANT_DATA_DIR"])
        assert command[-3:] == ["films", "--recipe", "fast"]
        assert (own / "data" / "films" / "events.parquet").read_text() == "events"
        assert not (own / "work").exists()
        FAST.write(Path(env["PENCHANT_BUNDLE_DIR"]))
        folders.append(own)

    monkeypatch.setattr(subprocess, "run", train)
    monkeypatch.setattr(training_report, "fetch_base_model", lambda *_: None)
    monkeypatch.setattr(training_report, "fetch_user_model", lambda *_: None)
    (tmp_path / "data" / "films").mkdir(parents=True)
    (tmp_path / "data" / "films" / "events.parquet").write_text("events")
    (tmp_path / "base_models").mkdir()
    settings = Settings(data_dir=tmp_path)
    assert [measure(settings, "films", "fast") for _ in range(2)] == [FAST, FAST]
    assert folders[0] != folders[1]
    assert not any(folder.exists() for folder in folders)
    assert (tmp_path / "data" / "films" / "events.parquet").read_text() == "events"
