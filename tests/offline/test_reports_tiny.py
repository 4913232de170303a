"""The reports of steering and of faithfulness in their small form: the real stack over the tiny bundle."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from app.offline import diversity_curve, faithfulness, steering
from app.settings import Settings


@pytest.fixture
def served(tiny_bundle: Path, tiny_dataset_folder: Path, tmp_path: Path) -> Settings:
    shutil.copytree(tiny_dataset_folder, tmp_path / "var" / "data" / "tiny")
    return Settings(bundle_dir=tiny_bundle, data_dir=tmp_path / "var", redis_url="memory://", device="cpu", threads=1)


def test_saying_it_moves_the_slate_the_right_way(served: Settings, tmp_path: Path) -> None:
    """Judged by the bundle's own encoder: the tiny models know no language, so no other could tell."""
    rows = asyncio.run(steering.measure(served, served.bundle_dir / "item_encoder", n_phrases=24, n_users=8))
    steering.write(served, rows, tmp_path)
    told = json.loads((tmp_path / "steering.json").read_text())["figures"]
    assert {row["way"] for row in rows} == set(steering.RIGHT)
    for way in ("steer", "steer_away", "more", "less"):
        assert told[f"{way}.right"] >= 0.75, way
    assert told["steer.similarity_change"] > told["more.similarity_change"] > 0
    assert told["steer_away.similarity_change"] < told["less.similarity_change"] < 0
    assert "| steer " in (tmp_path / "steering.md").read_text()


def test_cited_events_matter_more_than_random_ones(served: Settings, tmp_path: Path) -> None:
    rows = asyncio.run(faithfulness.measure(served, n_users=12))
    faithfulness.write(served, rows, tmp_path)
    told = json.loads((tmp_path / "faithfulness.json").read_text())["figures"]
    assert told["users"] >= 6
    assert told["difference.score_fall"] > 0
    assert told["difference.rank_fall"] > 0
    assert "| cited events " in (tmp_path / "faithfulness.md").read_text()


def test_more_diverse_slates_are_less_alike_and_the_chosen_point_is_affordable(
    served: Settings, tmp_path: Path
) -> None:
    """The judge of likeness is again the bundle's own encoder."""
    diversity_curve.write(served, served.bundle_dir / "item_encoder", tmp_path)
    told = json.loads((tmp_path / "diversity.json").read_text())["figures"]
    assert told["dpp.0.8.ild10"] > told["dpp.0.3.ild10"] > told["dpp.0.ild10"]
    assert told["mmr.0.8.ild10"] > told["dpp.0.ild10"]
    assert told["chosen.ndcg10_change.low"] <= told["chosen.ndcg10_change"] <= told["chosen.ndcg10_change.high"]
    assert (tmp_path / "diversity" / "curve.svg").stat().st_size < 200_000
    assert "Chosen on validation" in (tmp_path / "diversity.md").read_text()
