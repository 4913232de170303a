from pathlib import Path

import pytest

from app.offline import train
from app.offline.build import Run
from app.offline.dataset import Dataset
from app.offline.recipes import RECIPES
from app.offline.split import Protocol
from app.offline.train import train_bundle
from app.settings import Settings


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_bundle_starts_from_the_user_model_that_its_recipe_names(
    recipe: str, tiny_dataset: Dataset, tiny_dataset_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Run] = []

    def keep(run: Run, *_: object, **__: object) -> tuple[Path, None]:
        runs.append(run)
        return tmp_path / "bundle", None

    monkeypatch.setattr(train, "build_bundle", keep)
    monkeypatch.setattr(train, "fetch_base_model", lambda *_: Path("base"))
    monkeypatch.setattr(train, "fetch_user_model", lambda name, *_: Path(name))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tiny").symlink_to(tiny_dataset_folder)
    settings = Settings(data_dir=tmp_path, bundle_dir=tmp_path / "artifacts" / "current")
    train_bundle(settings, "tiny", recipe, Protocol.LEAVE_ONE_OUT, 0, current=False)
    assert [run.models.text for run in runs] == [Path("base")]
    assert [run.models.user for run in runs] == [Path(RECIPES[recipe].user_model)]
