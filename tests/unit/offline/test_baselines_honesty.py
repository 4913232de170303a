"""What every baseline has to keep to, whatever it computes."""

import dataclasses

import numpy as np
import pytest
from hand_made import ITEMS, dataset_of, split_of

from app.offline.baselines.tuning import Baseline, list_baselines
from app.offline.dataset import Dataset
from app.offline.evaluate import Ranker
from app.offline.split import Split

TEXT = np.random.default_rng(3).normal(size=(len(ITEMS), 4)).astype(np.float32)
BASELINES = list_baselines(TEXT)


def crowd() -> tuple[Dataset, Split]:
    """Six users of eight events and a stranger with one; the last events are asked for, h is never trained on."""
    rng = np.random.default_rng(5)
    histories = {
        f"u{n}": [(str(rng.choice(list("abcdefg"))), 10 * n + second) for second in range(8)] for n in range(6)
    }
    data = dataset_of({**histories, "stranger": [("b", 99)]})
    return data, split_of(data, test=[7, 15, 23, 31, 48], validation=[39, 47])


@pytest.fixture(params=BASELINES, ids=lambda baseline: baseline.name)
def baseline(request: pytest.FixtureRequest) -> Baseline:
    return request.param


def fitted(baseline: Baseline, data: Dataset, split: Split) -> Ranker:
    return baseline.fit(data, split, **baseline.grid[0])


def test_scores_are_one_finite_row_of_float32_a_question(baseline: Baseline) -> None:
    data, split = crowd()
    scores = fitted(baseline, data, split).scores(split.test)
    assert (scores.shape, scores.dtype) == ((5, 8), np.float32)
    assert np.isfinite(scores).all()


def test_answers_do_not_change_with_the_items_asked_for(baseline: Baseline) -> None:
    data, split = crowd()
    rows = data.rows.copy()
    rows[split.test] = ITEMS.index("h")
    other = dataclasses.replace(data, rows=rows)
    assert np.array_equal(
        fitted(baseline, data, split).scores(split.test), fitted(baseline, other, split).scores(split.test)
    )


def test_nothing_is_learned_from_held_out_events(baseline: Baseline) -> None:
    """The validation items of other users change; a question of u0 is answered as before."""
    data, split = crowd()
    rows = data.rows.copy()
    rows[split.validation] = ITEMS.index("h")
    other = dataclasses.replace(data, rows=rows)
    question = split.test[:1]
    assert np.array_equal(
        fitted(baseline, data, split).scores(question), fitted(baseline, other, split).scores(question)
    )


def test_answers_do_not_depend_on_the_company_of_a_question(baseline: Baseline) -> None:
    data, split = crowd()
    ranker = fitted(baseline, data, split)
    alone = np.concatenate([ranker.scores(split.test[place : place + 1]) for place in range(5)])
    assert np.allclose(ranker.scores(split.test), alone, atol=1e-6)


def test_stranger_is_not_given_another_users_history(baseline: Baseline) -> None:
    """Question 48 is the stranger's first event: the event before it in the data belongs to somebody else."""
    data, split = crowd()
    rows = data.rows.copy()
    rows[47] = (rows[47] + 1) % 7
    other = dataclasses.replace(data, rows=rows)
    stranger = split.test[-1:]
    assert np.array_equal(
        fitted(baseline, data, split).scores(stranger), fitted(baseline, other, split).scores(stranger)
    )


def test_every_argument_of_the_grid_is_accepted(baseline: Baseline) -> None:
    data, split = crowd()
    for arguments in baseline.grid:
        baseline.fit(data, split, **arguments)
