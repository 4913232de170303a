import asyncio

import faiss
import numpy as np
import pytest

from app.domain import Candidates, Scores, Source
from app.retrieval.index import ItemIndex
from app.scoring.relevance import SAMPLE, keep_relevant

QUERY = np.array([[1.0, 0.0]], dtype=np.float32)


def index_of(values: list[float]) -> ItemIndex:
    flat = faiss.IndexFlatIP(2)
    flat.add(np.array([[value, 0] for value in values], dtype=np.float32))
    index = ItemIndex(flat)
    for slot in range(len(values)):
        index.revive(slot)
    return index


def kept(index: ItemIndex, slots: list[int], at_least: float) -> list[int]:
    at = np.array(slots, dtype=np.int64)
    totals = (index.gather(at) @ QUERY.T)[:, 0].astype(np.float64)
    scores = Scores(totals, np.zeros((len(at), 5), dtype=np.float32), np.arange(len(at)))
    candidates = Candidates(at, ((Source.WORDS,),) * len(at))
    found, found_scores = asyncio.run(keep_relevant(candidates, scores, at_least, index, QUERY))
    assert len(found.sources) == len(found.slots) == len(found_scores.parts)
    assert found_scores.total.tolist() == [totals[slots.index(slot)] for slot in found.slots]
    return found.slots.tolist()


def test_zero_is_the_middling_item_and_one_the_best() -> None:
    index = index_of([0, 1, 2, 3, 4])
    assert kept(index, [0, 1, 2, 3, 4], 0) == [2, 3, 4]
    assert kept(index, [0, 1, 2, 3, 4], 0.5) == [3, 4]
    assert kept(index, [0, 1, 2, 3, 4], 1) == [4]


def test_the_scale_is_that_of_the_catalogue_whatever_is_left_of_it() -> None:
    index = index_of([0, 1, 2, 3, 4])
    assert kept(index, [0, 1], 0) == []
    assert kept(index, [3], 0.5) == [3]
    index.remove(4)
    assert kept(index, [3], 1) == [3]


def test_where_all_are_alike_all_are_relevant() -> None:
    assert kept(index_of([2, 2, 2]), [0, 1, 2], 1) == [0, 1, 2]


def test_nothing_proposed_is_nothing_kept() -> None:
    assert kept(index_of([1, 2]), [], 0.5) == []


def test_a_large_catalogue_is_sampled_alike_each_time() -> None:
    values = np.random.default_rng(1).normal(size=20_000).tolist()
    index = index_of(values)
    assert len(index.sample(SAMPLE)) == SAMPLE
    assert index.sample(SAMPLE).tolist() == index.sample(SAMPLE).tolist()
    middling = int(np.argsort(values)[int(0.55 * len(values))])
    lowly = int(np.argsort(values)[int(0.45 * len(values))])
    assert kept(index, [middling, lowly], 0) == [middling]


@pytest.mark.parametrize("eligible", [None, [True, False]])
def test_what_is_served_is_alive_and_eligible(eligible: list[bool] | None) -> None:
    index = index_of([1, 2, 3])
    index.remove(0)
    mask = None if eligible is None else np.array(eligible)
    assert index.served(mask).tolist() == ([False, True, True] if eligible is None else [False] * 3)
