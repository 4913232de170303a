"""The whole benchmark on a data set small enough for it: files in, runs and a report out, resumed where it stopped."""

import dataclasses
import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from tiny import TINY, tiny_events, tiny_items

from app.offline.benchmark import quality
from app.offline.benchmark.contestants import LEARNED
from app.offline.benchmark.quality import Plan, benchmark_quality, list_missing
from app.offline.split import Protocol
from app.offline.workshop import Models
from app.settings import Settings

QUICK = dataclasses.replace(TINY, text_epochs=1, id_epochs=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As anybody's folder may be: HTML entities and a title told twice among the items, a repeated pair of events."""
    folder = tmp_path_factory.mktemp("data") / "Corner-Shop"
    folder.mkdir()
    events = tiny_events().select(
        "user_id", "item_id", pl.col("at").dt.epoch("s").alias("timestamp"), pl.col("context_device").alias("device")
    )
    events = pl.concat([events, events.head(3).with_columns(pl.col("timestamp") + 86_400)])
    titles = [item.title.replace("red", "red &amp; round").replace("blue", "old") for item in tiny_items()]
    items = pl.DataFrame({"item_id": [item.item_id for item in tiny_items()], "title": titles})
    for name, frame in (("interactions", events), ("items", items)):
        with gzip.open(folder / f"{name}.tsv.gz", "wt", encoding="utf-8") as table:
            table.write(frame.write_csv(separator="\t"))
    return folder


@pytest.fixture
def plan(data: Path, tiny_models: Models, tmp_path: Path) -> Plan:
    return Plan(
        data=[data],
        splits=[Protocol.LEAVE_ONE_OUT, Protocol.GLOBAL_TIME],
        contestants=["popularity", "markov_text", "sasrec_ce", "penchant"],
        seeds=2,
        recipe=QUICK,
        reports=tmp_path / "reports",
        text_model=tiny_models.text,
        user_model=tiny_models.user,
    )


def test_one_command_gives_runs_and_a_report_on_anybodys_folder(plan: Plan, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var", device="cpu", threads=1)
    benchmark_quality(settings, plan)
    figures = json.loads((plan.reports / "quality.json").read_text())["figures"]
    for split in ("loo", "time"):
        assert 0 <= figures[f"cornershop.{split}.ndcg10"] <= 1
        assert figures[f"cornershop.{split}.seeds"] == 2
        assert figures[f"baseline.popularity.cornershop.{split}.seeds"] == 1
    assert "cornershop, leave-one-out" in (plan.reports / "quality.md").read_text()
    assert list(list_missing(plan)) == []


def test_a_benchmark_goes_on_where_it_stopped(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path / "var", device="cpu", threads=1)
    plan = dataclasses.replace(plan, splits=[Protocol.LEAVE_ONE_OUT], contestants=["popularity", "sasrec_ce"], seeds=1)
    entered: list[str] = []
    enter = quality.enter

    def die_at_the_second(contestant: str, *rest: object, **told: object) -> object:
        entered.append(contestant)
        if entered == ["popularity", "sasrec_ce"]:
            raise KeyboardInterrupt
        return enter(contestant, *rest, **told)  # type: ignore[arg-type]

    monkeypatch.setattr(quality, "enter", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        benchmark_quality(settings, plan)
    assert [contestant for *_, contestant in list_missing(plan)] == ["sasrec_ce"]
    benchmark_quality(settings, plan)
    assert entered == ["popularity", "sasrec_ce", "sasrec_ce"]


def test_every_ablation_can_be_run(plan: Plan, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var", device="cpu", threads=1)
    plan = dataclasses.replace(plan, splits=[Protocol.LEAVE_ONE_OUT], contestants=list(LEARNED), seeds=1)
    benchmark_quality(settings, plan)
    assert len(list(plan.runs.glob("*.json"))) == len(LEARNED)
    assert "One thing changed at a time" in (plan.reports / "quality.md").read_text()


def test_a_random_split_has_an_auc_and_keeps_what_was_seen(plan: Plan, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var", device="cpu", threads=1)
    asked = dataclasses.replace(
        plan, splits=[Protocol.RANDOM], contestants=["popularity", "without_gate", "penchant"], seeds=1
    )
    benchmark_quality(settings, asked)
    told = json.loads((plan.reports / "quality.json").read_text())["figures"]
    for prefix in ("", "baseline.popularity.", "baseline.without_gate."):
        assert 0 < told[f"{prefix}cornershop.random.auc"] < 1
        assert told[f"{prefix}cornershop.random.hr10.repeat"] > 0, "what was seen may come again"
    assert told["cornershop.random.auc"] > told["baseline.popularity.cornershop.random.auc"]
    assert told["cornershop.random.questions"] > told["cornershop.random.users"]
    assert "seen items left in the lists" in (plan.reports / "quality.md").read_text()
