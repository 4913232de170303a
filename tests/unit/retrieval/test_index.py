import asyncio

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.retrieval.index import ItemIndex

LINE = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
ALONG = np.array([[1.0, 0.0]], dtype=np.float32)


def index_of(vectors: np.ndarray | list[list[float]], *, alive: bool = True) -> ItemIndex:
    vectors = np.array(vectors, dtype=np.float32)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    index = ItemIndex(flat)
    for slot in range(len(vectors) if alive else 0):
        index.revive(slot)
    return index


def slots_of(
    index: ItemIndex, n: int = 10, eligible: list[bool] | None = None, queries: np.ndarray = ALONG
) -> list[int]:
    return index.search(queries, n, None if eligible is None else np.array(eligible))[0].tolist()


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_search_is_brute_force(data: st.DataObject) -> None:
    """Whole numbers, so that both sum exactly, and ties abound: which of the equal ones comes is left open."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n_main, n_newer = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 70))
    vectors = rng.integers(-3, 4, (n_main + n_newer, 3)).astype(np.float32)
    index = index_of(vectors[:n_main])
    for vector in vectors[n_main:]:
        index.add(vector)
    dead = np.flatnonzero(rng.random(len(vectors)) < data.draw(st.sampled_from([0.0, 0.3, 0.95])))
    for slot in dead:
        index.remove(slot)
    eligible = rng.random(len(vectors)) >= data.draw(st.sampled_from([0.0, 0.3, 0.98, 1.0]))
    queries, n = rng.integers(-3, 4, (2, 3)).astype(np.float32), data.draw(st.integers(1, 120))

    found = index.search(queries, n, eligible)

    allowed = np.setdiff1d(np.flatnonzero(eligible), dead)
    for query, slots in zip(queries, found, strict=True):
        assert len(slots) == min(n, len(allowed)) == len(np.unique(slots))
        assert set(slots.tolist()) <= set(allowed.tolist())
        assert (vectors[slots] @ query).tolist() == sorted((vectors[allowed] @ query).tolist(), reverse=True)[:n]


def test_the_bundles_rows_wait_to_be_told_that_they_are_served() -> None:
    index = index_of(LINE, alive=False)
    assert (index.n_alive, index.n_slots, slots_of(index)) == (0, 3, [])


def test_a_new_vector_gets_a_slot_of_its_own_and_is_found() -> None:
    index = index_of(LINE)
    assert index.add(np.array([2.5, 0.0], dtype=np.float32)) == 3
    assert slots_of(index) == [2, 3, 1, 0]
    assert (index.n_alive, index.is_alive(3)) == (4, True)


def test_what_is_removed_is_found_no_more_and_comes_back_when_revived() -> None:
    index = index_of(LINE)
    newer = index.add(np.array([9.0, 0.0], dtype=np.float32))
    for slot in (2, newer):
        index.remove(slot)
    assert slots_of(index) == [1, 0]
    assert not index.is_alive(newer)
    index.revive(2)
    assert slots_of(index) == [2, 1, 0]


def test_fewer_come_back_only_where_fewer_are_allowed() -> None:
    index = index_of(LINE)
    assert len(slots_of(index, n=2)) == 2
    assert slots_of(index, n=3, eligible=[False, True, False]) == [1]
    assert slots_of(index, eligible=[False] * 3) == []


def test_each_query_has_its_own_answer() -> None:
    index = index_of([[1.0, 0.0], [0.0, 1.0]])
    found = index.search(np.eye(2, dtype=np.float32), 1)
    assert [slots.tolist() for slots in found] == [[0], [1]]


def test_a_score_below_zero_is_still_a_candidate() -> None:
    assert slots_of(index_of(LINE), queries=-ALONG) == [0, 1, 2]


def test_gather_gives_the_vectors_of_old_new_and_dead_slots_in_order() -> None:
    index = index_of(LINE)
    index.add(np.array([9.0, 1.0], dtype=np.float32))
    index.remove(1)
    assert index.gather(np.array([3, 1, 0, 3])).tolist() == [[9, 1], [2, 0], [1, 0], [9, 1]]


def test_gather_gives_copies() -> None:
    index = index_of(LINE)
    index.gather(np.array([0]))[:] = 99
    assert index.gather(np.array([0])).tolist() == [[1, 0]]


@pytest.mark.parametrize("n_newer", [63, 64, 65, 200])
def test_the_part_beside_the_bundle_grows(n_newer: int) -> None:
    index = index_of(LINE)
    slots = [index.add(np.array([100.0 + place, 0.0], dtype=np.float32)) for place in range(n_newer)]
    assert slots_of(index, n=2) == [slots[-1], slots[-2]]
    assert index.gather(np.array(slots))[:, 0].tolist() == [100.0 + place for place in range(n_newer)]


def test_a_slot_newer_than_the_mask_is_not_eligible() -> None:
    index = index_of(LINE)
    index.add(np.array([9.0, 0.0], dtype=np.float32))
    assert slots_of(index, eligible=[True, False, True]) == [2, 0]


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_a_filter_of_any_selectivity_loses_nothing_of_the_exact_answer(share: float) -> None:
    """Recall of the 100 best, or of as many as there are, on 5,000 items of the bundle and 200 beside it."""
    rng = np.random.default_rng(7)
    vectors = rng.standard_normal((5_200, 24), dtype=np.float32)
    index = index_of(vectors[:5_000])
    for vector in vectors[5_000:]:
        index.add(vector)
    eligible = rng.permutation(len(vectors)) < share * len(vectors)
    queries = rng.standard_normal((4, 24), dtype=np.float32)
    for query, found in zip(queries, index.search(queries, 100, eligible), strict=True):
        scores = np.where(eligible, vectors @ query, -np.inf)
        exact = np.argsort(-scores)[: min(100, int(eligible.sum()))]
        assert len(np.intersect1d(found, exact)) >= 0.95 * len(exact)
        assert eligible[found].all()
        assert len(found) == len(exact)


@pytest.mark.anyio
@pytest.mark.parametrize(("n_items", "beside"), [(3_000, False), (10_000, True)])
async def test_a_long_search_leaves_the_event_loop_to_others_and_finds_the_same(n_items: int, beside: bool) -> None:
    rng = np.random.default_rng(7)
    index = index_of(rng.standard_normal((n_items, 24), dtype=np.float32))
    for vector in rng.standard_normal((100, 24), dtype=np.float32):
        index.add(vector)
    queries = rng.standard_normal((4, 24), dtype=np.float32)
    turns = [0]

    async def count_turns() -> None:
        while not search.done():
            turns[0] += 1
            await asyncio.sleep(0)

    search = asyncio.ensure_future(index.find(queries, 50))
    await asyncio.sleep(0)  # it begins
    await count_turns()
    assert (turns[0] > 0) is beside
    for found, expected in zip(await search, index.search(queries, 50), strict=True):
        assert found.tolist() == expected.tolist()
