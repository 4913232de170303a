"""Every benchmark set that lies beside the repository, through the ready-made mapping. They may not be passed on."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.offline.clean import clean
from app.offline.columns import BENCHMARK
from app.offline.dataset import read_dataset

DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Expected:
    """What SOURCE.md counts, and what cleaning takes away from it."""

    events: int
    items: int
    users: int
    has_times: bool = True
    features: int = 0
    items_without_text: int = 0
    events_without_text: int = 0
    duplicates: int = 0


SETS = {
    "movielens-1m": Expected(events=999_611, items=3_416, users=6_040),
    "movielens-small": Expected(events=100_004, items=9_125, users=671),
    "amazon-beauty-2014": Expected(events=198_215, items=12_086, users=22_332),
    "steam-100k": Expected(events=126_824, items=3_593, users=10_369),
    "frappe": Expected(
        events=96_203,
        items=4_082,
        users=951,  # of 957: six used nothing but apps without text
        has_times=False,
        features=8,
        items_without_text=4_082 - 3_532,
        events_without_text=6_153,
    ),
    "depaul-movie": Expected(
        events=5_043,
        items=79,
        users=97,
        has_times=False,
        features=3,
        items_without_text=79 - 65,
        events_without_text=873,
    ),
    "incarmusic": Expected(events=4_012, items=139, users=42, has_times=False, features=8, duplicates=74),
}


@pytest.mark.parametrize(("name", "expected"), SETS.items())
def test_a_benchmark_set_is_cleaned_to_what_its_source_counts(name: str, expected: Expected, tmp_path: Path) -> None:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"no benchmark data at {folder}: they are not part of the repository")
    report = clean(folder / "interactions.tsv.gz", folder / "items.tsv.gz", BENCHMARK, tmp_path, name)
    dataset = read_dataset(tmp_path)
    assert (report.events.read, report.items.read, report.n_users) == (expected.events, expected.items, expected.users)
    assert report.items.kept == dataset.n_items == expected.items - expected.items_without_text
    assert len(dataset.rows) == expected.events - expected.events_without_text - expected.duplicates
    assert (report.times is not None) == expected.has_times
    assert len(report.context) == len(dataset.context) == expected.features


def test_words_for_nothing_stay_words_in_a_context(tmp_path: Path) -> None:
    folder = DATA / "depaul-movie"
    if not folder.is_dir():
        pytest.skip(f"no benchmark data at {folder}: they are not part of the repository")
    report = clean(folder / "interactions.tsv.gz", folder / "items.tsv.gz", BENCHMARK, tmp_path, "depaul-movie")
    assert report.context["companion"] == ("Alone", "Family", "NA", "Partner")
