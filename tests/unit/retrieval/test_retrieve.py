import faiss
import numpy as np
import pytest

from app.domain import Source
from app.retrieval.index import ItemIndex
from app.retrieval.retrieve import retrieve

TASTE, WORDS = Source.INTERESTS, Source.WORDS


@pytest.fixture
def index() -> ItemIndex:
    """Slots 0 to 3: along the first axis, along the second, along both, along neither."""
    flat = faiss.IndexFlatIP(2)
    flat.add(np.array([[3, 0], [0, 3], [2, 2], [-1, -1]], dtype=np.float32))
    index = ItemIndex(flat)
    for slot in range(4):
        index.revive(slot)
    return index


def test_what_two_rows_find_is_one_candidate_with_both_sources(index: ItemIndex) -> None:
    found = retrieve(index, np.eye(2, dtype=np.float32), [TASTE, WORDS], 2, None)
    assert found.slots.tolist() == [0, 1, 2]
    assert found.sources == ((TASTE,), (WORDS,), (TASTE, WORDS))


def test_a_source_is_named_once_however_many_of_its_rows_found_the_item(index: ItemIndex) -> None:
    found = retrieve(index, np.eye(2, dtype=np.float32), [TASTE, TASTE], 2, None)
    assert found.sources == ((TASTE,),) * 3


def test_only_eligible_items_are_candidates(index: ItemIndex) -> None:
    found = retrieve(index, np.eye(2, dtype=np.float32), [TASTE, WORDS], 2, np.array([False, True, False, True]))
    assert found.slots.tolist() == [1, 3]


def test_nothing_allowed_gives_no_candidates(index: ItemIndex) -> None:
    found = retrieve(index, np.eye(2, dtype=np.float32), [TASTE, WORDS], 2, np.zeros(4, dtype=np.bool_))
    assert (found.slots.tolist(), found.slots.dtype, found.sources) == ([], np.int64, ())


def test_a_row_without_a_source_is_refused(index: ItemIndex) -> None:
    with pytest.raises(ValueError, match="shorter"):
        retrieve(index, np.eye(2, dtype=np.float32), [TASTE], 2, None)
