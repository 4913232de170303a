from dataclasses import replace

import numpy as np
import pytest
from tiny import SMALL

from app.scoring.newcomers import NEAREST, Known, find_twins

RNG = np.random.default_rng(0)
TEXT = RNG.normal(size=(40, 6)).astype(np.float32)
VECTORS = RNG.normal(size=(40, 9)).astype(np.float32)  # 2 of the text block, 4 of the words block, 3 of the ID block
VECTORS[:, 2:6] /= np.linalg.norm(VECTORS[:, 2:6], axis=1, keepdims=True)
EVENTS = np.arange(40) % 4  # every fourth has none
NOTHING = np.zeros(40, dtype=np.int64)
SHAPE = replace(SMALL, block_dim=2, words_dim=4, id_dim=3)
KNOWN = Known(TEXT, VECTORS, EVENTS, SHAPE)


def test_a_newcomer_has_the_behaviour_of_the_known_item_with_the_nearest_text() -> None:
    (twin,) = find_twins(TEXT, EVENTS)[1][:1]
    assert KNOWN.twins(TEXT[0]).tolist() == VECTORS[twin, 6:].tolist()
    assert EVENTS[twin] > 0
    assert TEXT[twin] @ TEXT[0] == pytest.approx((TEXT[EVENTS > 0] @ TEXT[0]).max(), abs=1e-5)


def test_every_item_without_events_has_a_twin_with_some() -> None:
    newcomers, twins = find_twins(TEXT, EVENTS)
    assert newcomers.tolist() == list(range(0, 40, 4))
    assert (EVENTS[twins] > 0).all()


def test_where_nothing_is_known_a_newcomer_is_its_text_alone() -> None:
    assert Known(TEXT, VECTORS, NOTHING, SHAPE).twins(TEXT[0]).tolist() == [0.0, 0.0, 0.0]
    assert [len(rows) for rows in find_twins(TEXT, NOTHING)] == [0, 0]


def test_where_no_text_was_read_nobody_has_a_twin() -> None:
    assert [len(rows) for rows in find_twins(np.empty((40, 0), dtype=np.float32), EVENTS)] == [0, 0]


def test_words_resemble_the_known_items_whose_words_blocks_lie_nearest() -> None:
    said, rows = VECTORS[0, 2:6], np.flatnonzero(EVENTS)
    nearest = rows[np.argsort(-(VECTORS[rows, 2:6] @ said))[:NEAREST]]
    assert KNOWN.resembling(said) == pytest.approx(VECTORS[nearest, 6:].mean(axis=0), abs=1e-6)


def test_where_few_items_are_known_words_resemble_them_all() -> None:
    few = NOTHING.copy()
    few[[3, 7]] = 5
    told = Known(TEXT, VECTORS, few, SHAPE).resembling(VECTORS[0, 2:6])
    assert told == pytest.approx(VECTORS[[3, 7], 6:].mean(axis=0))
    assert Known(TEXT, VECTORS, NOTHING, SHAPE).resembling(VECTORS[0, 2:6]).tolist() == [0.0, 0.0, 0.0]
