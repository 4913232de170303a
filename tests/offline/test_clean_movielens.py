"""MovieLens 100K as a newcomer gets it: out of the wheel, through the ready-made mapping."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from app.errors import DataError
from app.offline.clean import clean
from app.offline.columns import MOVIELENS_100K
from app.offline.data_report import Report
from app.offline.dataset import Dataset, read_dataset
from app.offline.fetch import fetch_movielens


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return fetch_movielens(tmp_path_factory.mktemp("data"), Console(file=io.StringIO()))
    except DataError as refused:
        if "cannot be downloaded" not in str(refused):
            raise
        pytest.skip(f"MovieLens 100K is out of reach: {refused}")


@pytest.fixture(scope="module")
def cleaned(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Dataset]:
    out = tmp_path_factory.mktemp("clean")
    report = clean(source / "ml-100k.inter", source / "ml-100k.item", MOVIELENS_100K, out, "ml-100k")
    return report, read_dataset(out)


def test_one_film_without_a_title_goes_with_its_nine_ratings(cleaned: tuple[Report, Dataset]) -> None:
    report, dataset = cleaned
    assert (report.items.read, report.items.kept) == (1_682, 1_682 - 1)
    assert (report.events.read, report.events.kept) == (100_000, 100_000 - 9)
    assert (dataset.n_users, dataset.n_items, len(dataset.rows)) == (943, 1_681, 99_991)
    assert "267" not in {item.item_id for item in dataset.items}


def test_items_keep_the_sources_order_and_ids(cleaned: tuple[Report, Dataset]) -> None:
    first = cleaned[1].items[0]
    assert (first.item_id, first.title, first.properties) == ("1", "Toy Story (1995)", {"year": 1995})
    assert first.categories == ("Animation", "Children's", "Comedy")


def test_ratings_are_weighed_in_fifths(cleaned: tuple[Report, Dataset]) -> None:
    assert sorted(set(cleaned[1].weights.round(4).tolist())) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_the_ratings_of_seven_months_are_in_order(cleaned: tuple[Report, Dataset]) -> None:
    report, dataset = cleaned
    assert report.times is not None
    assert f"{report.times.first_at:%Y-%m-%d} {report.times.last_at:%Y-%m-%d}" == "1997-09-20 1998-04-22"
    for start, end in zip(dataset.starts[:-1], dataset.starts[1:], strict=True):
        assert (dataset.at_s[start + 1 : end] >= dataset.at_s[start : end - 1]).all()


def test_a_second_fetch_finds_the_files_there(source: Path) -> None:
    console = Console(file=io.StringIO())
    assert fetch_movielens(source.parents[1], console) == source
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]
