import numpy as np
import pytest
from hand_made import dataset_of

from app.offline.blend import PRIORS, SHRINKS, TRENDS, BlockParts, choose_blend, choose_trend
from app.offline.trends import Trends
from app.offline.windows import Histories
from models.space import Blend

# Each user's second event is asked for: b, c, d, e after an a.
DATA = dataset_of({f"u{n}": [("a", 0), (item, 1)] for n, item in enumerate("bcde")})
ASKED = np.array([1, 3, 5, 7])
HISTORIES = Histories(DATA, np.zeros((8, 2), dtype=np.float32), np.empty((8, 0), dtype=np.int64), has_times=True)
MANY = np.full(8, 1_000)
NOTHING = np.zeros((4, 8), dtype=np.float32)


def right(strength: float = 1.0) -> np.ndarray:
    """Scores that put every target first."""
    scores = np.zeros((4, 8), dtype=np.float32)
    scores[np.arange(4), DATA.rows[ASKED]] = strength
    return scores


def wrong(strength: float = 1.0) -> np.ndarray:
    return -right(strength)


class FixedParts(BlockParts):
    """Parts whose scores are told, a row a question of ASKED."""

    def __init__(self, *parts: np.ndarray, counts: np.ndarray = MANY) -> None:
        nothing = np.empty(0, dtype=np.int64)
        trends = Trends(nothing, nothing, counts / counts.sum())
        super().__init__(HISTORIES, counts, 0.5, np.empty((8, 0), dtype=np.float32), trends, None, None)
        object.__setattr__(self, "told", parts)

    def scores(self, asked: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(part[np.searchsorted(ASKED, asked)] for part in self.told)


def choose(text: np.ndarray, behaviour: np.ndarray, prior: np.ndarray = NOTHING, counts: np.ndarray = MANY) -> Blend:
    return choose_blend(FixedParts(text, behaviour, prior, counts=counts), ASKED)[0]


def quality(*parts: np.ndarray) -> float:
    return choose_blend(FixedParts(*parts), ASKED)[1]


def test_a_block_that_misleads_is_left_out() -> None:
    assert choose(right(), wrong(2.0)).id == 0


def test_a_block_that_knows_is_let_in() -> None:
    blend = choose(wrong(0.2), right())
    assert blend.id > 0.2 * blend.text


def test_text_that_misleads_is_left_out() -> None:
    assert choose(wrong(9.0), right()).text == 0


def test_a_prior_that_misleads_is_left_out_and_one_that_knows_is_let_in() -> None:
    assert choose(right(0.1), NOTHING, wrong(2.0)).prior == 0
    assert choose(NOTHING, NOTHING, right()).prior > 0


def test_behaviour_of_items_with_few_events_is_trusted_less_where_it_misleads_there() -> None:
    """Items 6 and 7, with an event each, are said to be twice as good as the right ones: a shrink of 1 leaves half."""
    few = np.where(np.isin(np.arange(8), DATA.rows[ASKED]), 1_000, 1)
    strangers = np.zeros((4, 8), dtype=np.float32)
    strangers[:, 6:] = 1.0
    assert choose(NOTHING, right(0.5) + strangers, counts=few).shrink > SHRINKS[0]


def test_the_quality_told_is_that_of_the_blend_chosen() -> None:
    assert quality(right(), NOTHING, NOTHING) == 1.0


def test_equal_blends_leave_the_simplest() -> None:
    assert choose(right(), NOTHING) == Blend(text=1.0, id=0.0, shrink=SHRINKS[0], prior=PRIORS[0])


class TrendingParts(FixedParts):
    """With a trend that is told, the same for one half-life and nothing for the others."""

    def __init__(self, *parts: np.ndarray, trend: np.ndarray, half_life_days: float) -> None:
        super().__init__(*parts)
        object.__setattr__(self, "trending", (trend, half_life_days))

    def trend(self, asked: np.ndarray, half_life_days: float) -> np.ndarray:
        trend, days = self.trending
        return trend[np.searchsorted(ASKED, asked)] * (days == half_life_days)


@pytest.mark.parametrize("half_life_days", [3.0, 30.0])
def test_a_trend_that_knows_is_let_in_at_the_half_life_at_which_it_knows(half_life_days: float) -> None:
    parts = TrendingParts(wrong(0.1), NOTHING, NOTHING, trend=right(), half_life_days=half_life_days)
    chosen, quality = choose_trend(Blend(text=1.0, id=0.0), parts, ASKED)
    assert (chosen.trend, chosen.half_life_days, quality) == (TRENDS[0], half_life_days, 1.0)


def test_a_trend_that_misleads_or_says_nothing_is_left_out() -> None:
    plain = Blend(text=1.0, id=0.0)
    for told in (wrong(9.0), NOTHING):
        parts = TrendingParts(right(0.1), NOTHING, NOTHING, trend=told, half_life_days=7.0)
        assert choose_trend(plain, parts, ASKED) == (plain, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_on_its_questions_the_blend_never_loses_to_a_block_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    text, behaviour, prior = rng.normal(size=(3, 4, 8)).astype(np.float32)
    best = quality(text, behaviour, prior)
    assert best >= quality(text, NOTHING, NOTHING)
    assert best >= quality(NOTHING, behaviour, NOTHING)


def test_chunks_of_questions_choose_as_all_of_them_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    parts = rng.normal(size=(3, 4, 8)).astype(np.float32)
    whole = choose_blend(FixedParts(*parts), ASKED)
    monkeypatch.setattr("app.offline.blend.CHUNK", 3)
    assert choose_blend(FixedParts(*parts), ASKED) == whole
