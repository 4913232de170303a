from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DataError
from app.offline.benchmark.runs import Cell, Questions, Run, read_questions, read_run, write_questions, write_run
from app.offline.metrics import UNRANKED

CELL = Cell("ml1m", "loo", "markov", 0)


def run_of(ranks: list[int], cell: Cell = CELL) -> Run:
    return Run(
        cell=cell,
        ranks=np.array(ranks, dtype=np.int64),
        figures={"coverage10": 0.5},
        arguments={"smoothing": 2},
        validation_ndcg10=0.1,
        recipe="",
        commit="abc",
        machine="a machine",
        cpu_s=1.5,
        peak_memory_bytes=10,
        curves={"ID block": [0.1, 0.2]},
    )


@given(st.lists(st.one_of(st.integers(0, 65_534), st.just(UNRANKED)), max_size=50))
def test_a_run_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, ranks: list[int]) -> None:
    folder = tmp_path_factory.mktemp("runs")
    write_run(folder, run_of(ranks))
    read = read_run(folder / "ml1m.loo.markov.0.json")
    assert read.ranks.tolist() == ranks
    assert (read.cell, read.figures, read.arguments, read.curves) == (
        CELL,
        {"coverage10": 0.5},
        {"smoothing": 2},
        {"ID block": [0.1, 0.2]},
    )


def test_a_rank_too_deep_to_matter_is_kept_as_unranked(tmp_path: Path) -> None:
    write_run(tmp_path, run_of([3, 70_000]))
    assert read_run(tmp_path / f"{CELL.name}.json").ranks.tolist() == [3, UNRANKED]


def test_a_thousand_ranks_take_a_few_kilobytes(tmp_path: Path) -> None:
    write_run(tmp_path, run_of(np.random.default_rng(0).integers(0, 3_000, 1_000).tolist()))
    assert (tmp_path / f"{CELL.name}.json").stat().st_size < 5_000


@pytest.mark.parametrize("text", ["{}", "no json", '{"cell": {}, "ranks": ["AAAA"]}'])
def test_a_file_that_is_no_run_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"odd\.json is not a run"):
        read_run(path)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_questions_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, inside: list[bool]) -> None:
    folder = tmp_path_factory.mktemp("runs")
    mask = np.array(inside)
    users = np.arange(len(inside)) // 2
    asked = Questions("ml1m", "loo", len(inside), users, {"new": mask, "repeat": ~mask}, {"items": 7})
    write_questions(folder, asked)
    read = read_questions(folder / "questions" / "ml1m.loo.json")
    assert read.users.tolist() == users.tolist()
    assert read.n_questions == len(inside)
    assert read.counts == {"items": 7}
    assert read.slices["new"].tolist() == inside
    assert read.slices["repeat"].tolist() == (~mask).tolist()
