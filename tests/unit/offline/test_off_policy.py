"""The estimators on logs whose truth is known: items have click rates by place, and both policies are written down."""

import numpy as np
import pytest

from app.offline.off_policy import Replayed, estimate

N_ITEMS, K = 6, 3
SEEDS = 300


class World:
    """Click rates of items by position, and a logged policy that draws a ranking by Plackett-Luce."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.rates = rng.uniform(0.05, 0.6, N_ITEMS)[:, None] * np.array([1.0, 0.6, 0.3])
        self.utilities = rng.normal(0, 0.7, N_ITEMS)
        draws = self.draw(np.random.default_rng(8), 400_000)
        self.propensities = np.stack([np.bincount(draws[:, p], minlength=N_ITEMS) for p in range(K)], axis=1) / len(
            draws
        )

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """(n, K) items: the K largest of utility plus Gumbel noise, which is a draw of Plackett-Luce."""
        return np.argsort(-(self.utilities + rng.gumbel(size=(n, N_ITEMS))), axis=1)[:, :K]

    def log(self, seed: int, n_slates: int, target: np.ndarray) -> Replayed:
        """target: (N_ITEMS, K) probabilities of the other policy."""
        rng = np.random.default_rng(seed)
        shown = self.draw(rng, n_slates)
        places = np.arange(K)
        clicks = rng.random((n_slates, K)) < self.rates[shown, places]
        weights = target[shown, places] / self.propensities[shown, places]
        slates = np.repeat(np.arange(n_slates), K)
        return estimate(weights.ravel(), clicks.ravel().astype(float), slates, slates // 2)

    def truth(self, target: np.ndarray) -> float:
        return float((target * self.rates).sum() / K)


def always(*ranking: int) -> np.ndarray:
    target = np.zeros((N_ITEMS, K))
    target[list(ranking), np.arange(K)] = 1.0
    return target


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize("target", [always(0, 1, 2), always(5, 3, 0), np.full((N_ITEMS, K), 1 / N_ITEMS)])
def test_over_many_logs_the_estimates_centre_on_the_truth_and_the_intervals_hold_it(
    world: World, target: np.ndarray
) -> None:
    truth = world.truth(target)
    replays = [world.log(seed, 1_500, target) for seed in range(SEEDS)]
    for name in ("ips", "snips"):
        estimates = [getattr(replay, name) for replay in replays]
        values = np.array([one.value for one in estimates])
        standard_error = values.std(ddof=1) / np.sqrt(SEEDS)
        assert abs(values.mean() - truth) < 4 * standard_error + 0.001, name
        covered = np.mean([one.low <= truth <= one.high for one in estimates])
        assert 0.91 <= covered <= 0.99, (name, covered)
    assert np.mean([replay.mean_weight for replay in replays]) == pytest.approx(1.0, abs=0.02)


def test_the_mean_of_what_was_shown_would_be_wrong(world: World) -> None:
    """Else the test above could not fail: the logged policy's own rate is far from the other's."""
    target = always(5, 3, 0)
    replay = world.log(0, 4_000, target)
    assert not replay.logged.low <= world.truth(target) <= replay.logged.high


def test_of_the_logged_policy_itself_the_estimate_is_its_mean() -> None:
    outcomes = np.array([1.0, 0.0, 1.0, 0.0])
    replay = estimate(np.ones(4), outcomes, np.arange(4), np.arange(4))
    assert replay.ips == replay.snips == replay.logged
    assert (replay.ips.value, replay.effective, replay.n_matched) == (0.5, 4.0, 4)


def test_a_policy_that_the_log_knows_nothing_of_gets_no_number() -> None:
    replay = estimate(np.zeros(3), np.ones(3), np.arange(3), np.arange(3))
    assert np.isnan(replay.snips.value)
    assert (replay.ips.value, replay.effective, replay.mean_weight) == (0.0, 0.0, 0.0)
    empty = estimate(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    assert (empty.n_places, np.isnan(empty.ips.value)) == (0, True)
