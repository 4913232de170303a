from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import PART_NAMES, Scores
from app.reranking.compose import Diversifier, Knobs, compose, compose_slate, intra_list_diversity, order_by_score
from app.reranking.rules import EXPLORED, PINNED, SPONSORED, Cap, SlateRules, sponsored_places

each_diversifier = pytest.mark.parametrize("diversifier", list(Diversifier))
share = st.floats(0, 1, allow_subnormal=False)


def scores_of(*totals: float) -> Scores:
    total = np.array(totals, dtype=np.float32)
    return Scores(total, np.zeros((len(total), len(PART_NAMES)), np.float32), np.zeros(len(total), np.int64))


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    """Candidates of any number, copies of one another among them, and any knobs."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(0, 40))
    vectors = rng.integers(-2, 3, (n, draw(st.integers(1, 6)))).astype(np.float32)
    knobs = Knobs(draw(share), draw(share), draw(share), draw(st.sampled_from(Diversifier)))
    return {
        "scores": rng.normal(size=n).astype(np.float32),
        "vectors": vectors,
        "k": draw(st.integers(1, 50)),
        "knobs": knobs,
        "popularity": rng.normal(size=n).astype(np.float32),
        "rng": rng,
    }


def random_candidates(n: int, dim: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Items of four topics, one of which the user likes: by score alone it fills the slate."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(4, dim))
    vectors = topics[rng.integers(4, size=n)] + 0.5 * rng.normal(size=(n, dim))
    return (vectors @ topics[0] / dim).astype(np.float32), vectors.astype(np.float32)


@given(st.lists(st.integers(-3, 3), max_size=30), st.integers(1, 40))
def test_equal_scores_keep_the_candidates_order(totals: list[int], k: int) -> None:
    expected = sorted(range(len(totals)), key=lambda place: (-totals[place], place))[:k]
    assert order_by_score(scores_of(*totals)).tolist()[:k] == expected
    scores = np.array(totals, dtype=np.float32)
    assert compose(scores, np.zeros((len(totals), 2), np.float32), k).tolist() == expected


@settings(deadline=None)
@given(asked())
def test_a_slate_holds_k_different_candidates_or_all_there_are(asked: dict[str, Any]) -> None:
    composed = compose_slate(**asked)
    assert len(composed.chosen) == min(asked["k"], len(asked["scores"])) == len(composed.rules)
    assert len(set(composed.chosen.tolist())) == len(composed.chosen)
    assert set(composed.chosen.tolist()) <= set(range(len(asked["scores"])))
    assert ((composed.propensity > 0) & (composed.propensity <= 1)).all()


@settings(deadline=None)
@given(asked())
def test_a_wider_slate_begins_with_the_narrower_one(asked: dict[str, Any]) -> None:
    asked["knobs"] = Knobs(asked["knobs"].diversity, asked["knobs"].novelty, 0.0, asked["knobs"].diversifier)
    wide = compose_slate(**asked).chosen.tolist()
    asked["k"] = max(1, asked["k"] // 2)
    assert compose_slate(**asked).chosen.tolist() == wide[: asked["k"]]


@each_diversifier
def test_more_diversity_gives_a_more_varied_slate_and_less_of_its_score(diversifier: Diversifier) -> None:
    variety, worth = [], []
    for diversity in (0.0, 0.2, 0.5, 1.0):
        slates = []
        for seed in range(20):
            scores, vectors = random_candidates(100, seed=seed)
            slates.append((scores, vectors, compose(scores, vectors, 10, diversity=diversity, diversifier=diversifier)))
        variety.append(np.mean([intra_list_diversity(vectors[chosen]) for _, vectors, chosen in slates]))
        worth.append(np.mean([scores[chosen].mean() for scores, _, chosen in slates]))
    assert variety == sorted(variety)
    assert variety[-1] > variety[0] + 0.2
    assert worth == sorted(worth, reverse=True)


@each_diversifier
def test_a_copy_of_what_is_shown_waits_behind_everything_else(diversifier: Diversifier) -> None:
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    scores = np.array([4, 3.9, 2, 1], dtype=np.float32)
    assert compose(scores, vectors, 4, diversity=0.9, diversifier=diversifier).tolist() == [0, 2, 3, 1]


def test_the_determinants_are_those_of_the_likeness_matrix() -> None:
    """Greedy by the Cholesky rows is greedy by determinants computed from scratch."""
    scores, vectors = random_candidates(12, dim=20)
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    kernel = 0.5 + 0.5 * rows.astype(np.float64) @ rows.T.astype(np.float64)
    relevance = (scores - scores.max()) / (scores.max() - np.median(scores))
    chosen: list[int] = []
    for _ in range(6):
        worth = {
            i: 0.4 * relevance[[*chosen, i]].sum()
            + 0.6 * np.linalg.slogdet(kernel[np.ix_([*chosen, i], [*chosen, i])]).logabsdet
            for i in range(12)
            if i not in chosen
        }
        chosen.append(max(worth, key=lambda i: worth[i]))
    assert compose(scores, vectors, 6, diversity=0.6).tolist() == chosen


def test_novelty_prefers_what_is_little_known() -> None:
    scores, vectors = random_candidates(50)
    popularity = np.linspace(3, -3, 50).astype(np.float32)
    known = [
        popularity[compose(scores, vectors, 10, novelty=novelty, popularity=popularity)].mean()
        for novelty in (0.0, 0.5, 1.0)
    ]
    assert known == sorted(known, reverse=True)
    assert compose(scores, vectors, 50, novelty=1.0, popularity=popularity).tolist() == list(range(49, -1, -1))


def test_a_pin_stands_at_its_place_whatever_it_scores() -> None:
    scores, vectors = random_candidates(20)
    worst = int(scores.argmin())
    composed = compose_slate(scores, vectors, 5, Knobs(diversity=0.5), rules=SlateRules(pinned={2: worst}))
    assert composed.chosen[2] == worst
    assert composed.rules[2] == (PINNED,)
    assert [place for place, rule in enumerate(composed.rules) if rule] == [2]


def test_a_pin_whose_place_is_never_reached_stands_at_the_end() -> None:
    scores, vectors = random_candidates(3)
    composed = compose_slate(scores, vectors, 10, rules=SlateRules(pinned={7: 0}))
    assert composed.chosen.tolist()[-1] == 0
    assert len(composed.chosen) == 3


@settings(deadline=None)
@given(asked(), st.integers(0, 3), st.integers(0, 5))
def test_a_cap_is_never_passed_exploration_or_not(asked: dict[str, Any], at_most: int, seed: int) -> None:
    members = np.random.default_rng(seed).random(len(asked["scores"])) < 0.5
    composed = compose_slate(**asked, rules=SlateRules(caps=[Cap(members, max(1, at_most))]))
    assert members[composed.chosen].sum() <= max(1, at_most)
    others = int((~members).sum())
    assert len(composed.chosen) >= min(asked["k"], others)


def test_sponsored_items_stand_at_their_places_and_at_no_other() -> None:
    scores, vectors = random_candidates(60)
    paid = np.zeros(60, dtype=np.bool_)
    paid[np.argsort(-scores)[:6]] = True  # they would all be at the top
    rules = SlateRules(sponsored=paid, sponsored_places=sponsored_places(20, 0.2))
    for exploration in (0.0, 1.0):
        composed = compose_slate(
            scores, vectors, 20, Knobs(exploration=exploration), rules=rules, rng=np.random.default_rng(1)
        )
        assert [place for place in range(20) if paid[composed.chosen[place]]] == [2, 7, 12, 17]
        assert [place for place, rule in enumerate(composed.rules) if SPONSORED in rule] == [2, 7, 12, 17]


def test_a_sponsored_place_without_a_sponsor_goes_to_the_best() -> None:
    scores, vectors = random_candidates(10)
    rules = SlateRules(sponsored=np.zeros(10, dtype=np.bool_), sponsored_places=frozenset({0}))
    composed = compose_slate(scores, vectors, 5, rules=rules)
    assert composed.chosen.tolist() == np.argsort(-scores)[:5].tolist()
    assert composed.rules == ((),) * 5


@given(st.integers(1, 500), share)
def test_no_more_places_are_sponsored_than_the_share(k: int, part: float) -> None:
    places = sponsored_places(k, part)
    assert len(places) == int(k * part + 1e-9)
    assert places <= set(range(k))
    assert 0 not in places or len(places) > k // 3


def test_explored_places_say_so() -> None:
    scores, vectors = random_candidates(100)
    plain = compose(scores, vectors, 10).tolist()
    composed = compose_slate(scores, vectors, 10, Knobs(exploration=0.5), rng=np.random.default_rng(3))
    moved = [place for place in range(10) if composed.chosen[place] != plain[place]]
    assert moved
    assert [place for place, rule in enumerate(composed.rules) if EXPLORED in rule] == moved


@each_diversifier
def test_unlike_items_are_diverse_and_copies_are_not(diversifier: Diversifier) -> None:
    assert intra_list_diversity(np.eye(4, dtype=np.float32)) == pytest.approx(1.0)
    assert intra_list_diversity(np.ones((4, 3), dtype=np.float32)) == pytest.approx(0.0, abs=1e-6)
    assert intra_list_diversity(np.ones((1, 3), dtype=np.float32)) == 0.0
