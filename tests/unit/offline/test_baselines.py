"""Each baseline on data where its scores can be redone by hand. Items a to h are rows 0 to 7."""

import sys

import numpy as np
import pytest
from hand_made import dataset_of, split_of

from app.errors import DataError
from app.offline.baselines import ease
from app.offline.baselines.als import Als
from app.offline.baselines.ease import Ease
from app.offline.baselines.item_knn import ItemKnn
from app.offline.baselines.markov import Markov
from app.offline.baselines.popularity import TIE_BREAK, Popularity, RecentPopularity
from app.offline.baselines.text import MarkovText, TextSimilarity

DAY = 86_400


def scores_at(ranker: object, *questions: int) -> list[list[float]]:
    return ranker.scores(np.array(questions)).tolist()  # type: ignore[attr-defined]


def test_popularity_counts_training_events_of_liked_items() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1), ("a", 2), ("b", 3, -1.0), ("c", 4)]}, items="abc")
    ranker = Popularity.fit(data, split_of(data, test=[4]))
    assert scores_at(ranker, 4) == [[1.0, 0.5, 0.0]]


def test_recent_popularity_counts_the_days_before_the_question() -> None:
    """At day 10 the last seven days hold b and c once each; a, twice liked before, only settles ties."""
    data = dataset_of(
        {
            "ann": [("a", 0), ("a", 1 * DAY), ("b", 4 * DAY), ("c", 9 * DAY), ("d", 11 * DAY)],
            "bob": [("a", 0), ("d", 10 * DAY)],
        },
        items="abcd",
    )
    ranker = RecentPopularity.fit(data, split_of(data, test=[6]), days=7)
    assert scores_at(ranker, 6) == pytest.approx(np.array([[0.5 * 1, 1 + 0.5 / 3, 1 + 0.5 / 3, 0.5 / 3]]))


def test_recent_popularity_long_after_training_looks_at_the_end_of_training() -> None:
    data = dataset_of({"ann": [("a", 0), ("a", 1), ("b", 20 * DAY), ("c", 90 * DAY)]}, items="abc")
    ranker = RecentPopularity.fit(data, split_of(data, test=[3]), days=7)
    assert scores_at(ranker, 3) == [[0.5, 1.25, 0.0]]


def test_recent_popularity_does_not_see_the_questions_own_second_nor_later() -> None:
    data = dataset_of({"ann": [("a", 5), ("b", 6)], "bob": [("a", 1), ("c", 5)]}, items="abc")
    ranker = RecentPopularity.fit(data, split_of(data, test=[3]), days=1)
    assert scores_at(ranker, 3) == [[1 + 0.5, 0.25, 0.0]]


def test_markov_counts_what_followed_the_last_item() -> None:
    """b followed a twice and c once; b is liked three times, a and c as often."""
    data = dataset_of(
        {"ann": [("a", 0), ("b", 1), ("a", 2), ("b", 3)], "bob": [("a", 0), ("c", 1)], "cyd": [("a", 0), ("d", 1)]},
        items="abcd",
    )
    ranker = Markov.fit(data, split_of(data, test=[7]), smoothing=0.5)
    assert scores_at(ranker, 7) == [[0.5, 2 + 0.25, 1 + 0.125, 0.0]]


def test_markov_steps_neither_cross_users_nor_held_out_events_nor_end_in_a_refusal() -> None:
    data = dataset_of(
        {"ann": [("a", 0), ("b", 1), ("c", 2)], "bob": [("c", 0), ("a", 1), ("d", 2, -1.0), ("a", 3)]}, items="abcd"
    )
    ranker = Markov.fit(data, split_of(data, test=[1]), smoothing=0)
    assert ranker.counts.toarray().tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]


def test_item_knn_is_the_cosine_of_who_liked_both() -> None:
    """a: ann, bob, cyd, dan; b: ann, bob; c: bob. cos(a, b) = 2 / sqrt(4 * 2), cos(a, c) = 1 / sqrt(4 * 1)."""
    data = dataset_of(
        {
            "ann": [("a", 0), ("b", 1)],
            "bob": [("a", 0), ("b", 1), ("c", 2)],
            "cyd": [("a", 0)],
            "dan": [("a", 0), ("d", 1)],
        },
        items="abcd",
    )
    ranker = ItemKnn.fit(data, split_of(data, test=[7]), last=5, shrink=0)
    assert scores_at(ranker, 7) == [pytest.approx([0, 2 / 8**0.5, 0.5, 0], abs=2 * TIE_BREAK)]
    shrunk = ItemKnn.fit(data, split_of(data, test=[7]), last=5, shrink=2)
    assert scores_at(shrunk, 7) == [pytest.approx([0, 2 / (8**0.5 + 2), 0.25, 0], abs=2 * TIE_BREAK)]


def test_item_knn_reads_only_the_last_liked_events() -> None:
    data = dataset_of(
        {"ann": [("a", 0), ("b", 1)], "bob": [("c", 0), ("d", 1)], "cyd": [("a", 0), ("c", 1), ("e", 2)]}, items="abcde"
    )
    ranker = ItemKnn.fit(data, split_of(data, test=[6]), last=1)
    b, d = scores_at(ranker, 6)[0][1], scores_at(ranker, 6)[0][3]
    assert b < 2 * TIE_BREAK < d


def test_ease_is_its_closed_form() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1)], "bob": [("a", 0), ("b", 1), ("c", 2)], "cyd": [("a", 0), ("c", 1)]})
    ranker = Ease.fit(data, split_of(data, test=[6]), penalty=2)
    liked = np.zeros((3, 8))
    liked[[0, 0, 1, 1, 1, 2], [0, 1, 0, 1, 2, 0]] = 1
    precision = np.linalg.inv(liked.T @ liked + 2 * np.eye(8))
    expected = np.eye(8) - precision / np.diag(precision)
    assert np.allclose(ranker.weights, expected, atol=1e-6)
    assert scores_at(ranker, 6) == [pytest.approx(expected[0], abs=1e-5)]


def test_ease_refuses_a_catalogue_that_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "MOST_ITEMS", 7)
    data = dataset_of({"ann": [("a", 0), ("b", 1)]})
    with pytest.raises(DataError, match="8 items would take"):
        Ease.fit(data, split_of(data, test=[1]))


def test_als_prefers_what_the_like_minded_chose() -> None:
    """Two tastes: a, b, c and d, e, f. Who liked a and b is given c before d, e, f."""
    tastes = {f"abc{n}": [(item, 0) for item in "abc"] for n in range(6)}
    tastes |= {f"def{n}": [(item, 0) for item in "def"] for n in range(6)}
    data = dataset_of({**tastes, "zoe": [("a", 0), ("b", 1), ("c", 2)]})
    ranker = Als.fit(data, split_of(data, test=[38]), factors=2)
    scores = scores_at(ranker, 38)[0]
    assert scores[2] > max(scores[3:])
    assert scores == scores_at(Als.fit(data, split_of(data, test=[38]), factors=2), 38)[0], "one seed, one result"


def test_als_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    data = dataset_of({"ann": [("a", 0), ("b", 1)]})
    with pytest.raises(ModuleNotFoundError, match="pip install implicit"):
        Als.fit(data, split_of(data, test=[1]))


TEXT = np.array([[2, 0], [0, 1], [0.6, 0.8], [0, 0]], dtype=np.float32)


def test_text_similarity_is_the_cosine_with_the_last_item() -> None:
    data = dataset_of({"ann": [("b", 0), ("a", 1), ("c", 2)]}, items="abcd")
    ranker = TextSimilarity.fit(data, split_of(data, test=[2]), item_vectors=TEXT, last=1)
    assert scores_at(ranker, 2) == [pytest.approx([1, 0, 0.6, 0])]


def test_text_similarity_fades_older_events_and_skips_refused_ones() -> None:
    """b lies one step further back than a: (1, 0.7) is as long as sqrt(1.49)."""
    data = dataset_of(
        {"ann": [("b", 0), ("a", 1), ("c", 2)], "bob": [("b", 0), ("a", 1, -1.0), ("c", 2)]}, items="abcd"
    )
    ranker = TextSimilarity.fit(data, split_of(data, test=[2, 5]), item_vectors=TEXT, last=5)
    length = 1.49**0.5
    liked_both, liked_b = scores_at(ranker, 2, 5)
    assert liked_both == pytest.approx([1 / length, 0.7 / length, (0.6 + 0.56) / length, 0])
    assert liked_b == pytest.approx([0, 1, 0.8, 0])


def test_markov_text_adds_log_counts_and_cosine() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1)], "bob": [("a", 0), ("c", 1)]}, items="abcd")
    ranker = MarkovText.fit(data, split_of(data, test=[3]), item_vectors=TEXT, weight=2, last=1)
    assert scores_at(ranker, 3) == [pytest.approx([2, np.log(2), 1.2, 0], abs=2 * TIE_BREAK)]


def test_text_vectors_for_another_catalogue_are_refused() -> None:
    data = dataset_of({"ann": [("a", 0), ("b", 1)]}, items="ab")
    with pytest.raises(ValueError, match="4 text vectors for 2 items"):
        MarkovText.fit(data, split_of(data, test=[1]), item_vectors=TEXT)
