"""The reports of steering and of faithfulness in their small form: the real stack over the tiny bundle."""

import asyncio
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TINY, tiny_items

from app.domain import ItemId
from app.offline import diversity_curve, faithfulness, languages, refresh_report, steering, strangers, zero_shot
from app.offline.dataset import Dataset
from app.offline.split import Protocol, split
from app.offline.workshop import Models
from app.settings import Settings
from app.trained import Trained
from models.item_encoder import load_item_encoder


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


def test_words_of_a_language_are_counted_by_the_genres_they_find(
    served: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny models know no language, but the very titles: those stand for one that they have read."""
    monkeypatch.setattr(languages, "GENRES", ("romance", "western", "musical"))
    monkeypatch.setattr(
        languages, "SAID", {"Ours": ("old romance film", "old western film", ""), "Other": ("x", "y", "z")}
    )
    monkeypatch.setattr(languages, "K", 1)
    told = asyncio.run(languages.measure(served))
    languages.write(served, told, tmp_path)
    assert (told["genres"], told["chance"]) == (2, pytest.approx(1 / 6))
    assert told["Ours.search"] == 1
    assert told["Other.search"] < 1
    assert "| Other " in (tmp_path / "languages.md").read_text()


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


def test_a_refreshed_bundle_is_told_beside_the_stale_one_and_one_trained_anew(
    tiny_dataset: Dataset, tiny_models: Models, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "var", device="cpu", threads=1)
    ways = refresh_report.measure(settings, tiny_dataset, TINY, tiny_models, tmp_path)
    told = refresh_report.figures(ways)
    refresh_report.write(told, tiny_dataset, TINY, tmp_path)
    assert set(ways) == set(refresh_report.WAYS)
    assert len({len(way.ndcg) for way in ways.values()}) == 1
    difference = told["refreshed.ndcg10"] - told["stale.ndcg10"]
    assert told["refreshed_minus_stale.ndcg10"] == pytest.approx(difference)
    assert told["refreshed.cpu_share"] < 1
    assert "| gone on from that " in (tmp_path / "refresh.md").read_text()


def test_what_lies_before_a_day_is_a_share_of_the_events_of_the_same_users_and_items(tiny_dataset: Dataset) -> None:
    early = refresh_report.before(tiny_dataset, 0.5)
    assert len(early.rows) == pytest.approx(len(tiny_dataset.rows) / 2, abs=1)
    assert early.at_s.max() < np.quantile(tiny_dataset.at_s, 0.5, method="higher")
    assert (early.items, early.user_ids) == (tiny_dataset.items, tiny_dataset.user_ids)
    assert {name: len(values) for name, values in early.context.items()} == {"device": len(early.rows)}


def test_the_more_is_told_of_a_stranger_the_better_they_are_served(
    tiny_trained: Trained, tiny_dataset: Dataset, tmp_path: Path
) -> None:
    """Users of the tiny data walk through the catalogue: their last event says where they are, a genre says little."""
    ranks = strangers.measure(tiny_trained, tiny_dataset, split(tiny_dataset, Protocol.LEAVE_ONE_OUT))
    told = strangers.figures(ranks)
    strangers.write(told, "The tiny bundle.", tmp_path)
    assert set(ranks) == set(strangers.ABOUT)
    assert told["whole.ndcg10"] > told["events_1.ndcg10"] > told["titles.ndcg10"] > told["nobody.ndcg10"]
    assert "one event, to item-kNN" in (tmp_path / "strangers.md").read_text()


def test_what_is_said_for_a_user_is_what_they_liked(tiny_dataset: Dataset) -> None:
    question = int(split(tiny_dataset, Protocol.LEAVE_ONE_OUT).test[0])
    rows = strangers.liked(tiny_dataset, question)
    assert (tiny_dataset.weights[tiny_dataset.starts[tiny_dataset.users[question]] : question] > 0).sum() == len(rows)
    titles = [tiny_dataset.items[row].title for row in rows[-3:]]
    assert strangers.say_titles(tiny_dataset, question) == ", ".join(titles)
    genres = [tiny_dataset.items[row].categories[0] for row in rows]
    assert strangers.say_categories(tiny_dataset, question).split(", ")[0] == max(sorted(set(genres)), key=genres.count)


def test_a_bundle_ranks_a_catalogue_it_never_saw_by_text(
    tiny_trained: Trained, tiny_dataset: Dataset, tiny_models: Models, tmp_path: Path
) -> None:
    """The same shop with every film called by another id: what was learned of ids says nothing, texts still do."""
    foreign = dataclasses.replace(
        tiny_dataset,
        items=tuple(dataclasses.replace(item, item_id=ItemId(f"x{item.item_id}")) for item in tiny_items()),
    )
    ranks = zero_shot.measure(tiny_trained, load_item_encoder(tiny_models.text, torch.device("cpu")), foreign)
    told = zero_shot.figures({"shop": ranks})
    zero_shot.write(told, ["shop"], "The tiny bundle.", tmp_path)
    assert set(ranks) == set(zero_shot.RANKERS)
    assert told["shop.zero_shot.ndcg10"] > told["shop.popularity.ndcg10"]
    assert "this bundle, by text alone" in (tmp_path / "zero-shot.md").read_text()
