import faiss
import numpy as np
import pytest
from tiny_rooms import asking

from app.domain import IntArray, Rung, Source
from app.interests.clauses import Clauses
from app.interests.intent import Intent
from app.interests.spoken import Spoken
from app.placements.placement import Pin, Placement
from app.placements.surface import NO_PLACEMENT
from app.retrieval.index import ItemIndex
from app.retrieval.quotas import PLUGIN_QUOTA, QUOTAS, default_quotas
from app.retrieval.retrieve import Proposals, Retriever
from app.retrieval.sources.base import Ask
from app.retrieval.sources.rows import RowSource, merge
from app.scoring.scorer import Query

pytestmark = pytest.mark.anyio

TASTE, WORDS = Source.INTERESTS, Source.WORDS
ROWS = np.eye(2, dtype=np.float32)
NOTHING_SAID = Spoken(ROWS[:0], ROWS[:0], None, (), Clauses((), ()), ())


@pytest.fixture
def index() -> ItemIndex:
    """Slots 0 to 3: along the first axis, along the second, along both, along neither."""
    flat = faiss.IndexFlatIP(2)
    flat.add(np.array([[3, 0], [0, 3], [2, 2], [-1, -1]], dtype=np.float32))
    index = ItemIndex(flat)
    for slot in range(4):
        index.revive(slot)
    return index


class Fixed:
    """Proposes the same slots whatever is asked, or breaks."""

    def __init__(self, name: str, *slots: int, error: Exception | None = None) -> None:
        self.name = name
        self.slots = np.array(slots, dtype=np.int64)
        self.error = error

    async def propose(self, ask: Ask, n: int) -> IntArray:
        if self.error is not None:
            raise self.error
        return ask.first(self.slots, n)


def intent_of(*sources: Source) -> Intent:
    return Intent(ROWS[: len(sources)], sources, Rung.FRESH, (), (), None, None, NOTHING_SAID)


async def found(
    index: ItemIndex, sources: list[Fixed], quotas: dict[str, int], k: int = 1, eligible: list[bool] | None = None
) -> tuple[dict[int, tuple[str, ...]], tuple[str, ...]]:
    retriever = Retriever(index, sources, candidates=2)
    placement = Placement("shelf", sources=quotas)
    mask = None if eligible is None else np.array(eligible)
    candidates, missing = await retriever.retrieve(
        asking(k=k),
        placement,
        intent_of(TASTE),
        Query(ROWS, ROWS, np.ones(2, np.float32), np.zeros(2, np.float32)),
        [mask],
    )
    assert candidates.slots.dtype == np.int64
    return dict(zip(candidates.slots.tolist(), candidates.sources, strict=True)), missing


async def test_what_several_sources_propose_is_one_candidate_that_names_them_all(index: ItemIndex) -> None:
    sources = [Fixed("trending", 3, 1), Fixed("fresh", 1, 2)]
    merged, missing = await found(index, sources, {"trending": 2, "fresh": 2})
    assert merged == {1: ("trending", "fresh"), 2: ("fresh",), 3: ("trending",)}
    assert missing == ()


async def test_no_source_proposes_more_than_its_quota_nor_is_one_asked_that_has_none(index: ItemIndex) -> None:
    sources = [Fixed("trending", 3, 1), Fixed("fresh", 1, 2), Fixed("cold", 0)]
    assert await found(index, sources, {"trending": 1, "fresh": 0}) == ({3: ("trending",)}, ())


async def test_only_what_is_eligible_and_alive_is_proposed(index: ItemIndex) -> None:
    index.remove(1)
    merged, _ = await found(index, [Fixed("fresh", 0, 1, 2, 3)], {"fresh": 4}, eligible=[True, True, False, True])
    assert set(merged) == {0, 3}


async def test_a_shelf_that_runs_dry_is_filled_with_what_is_popular(index: ItemIndex) -> None:
    sources = [Fixed("trending", 3), Fixed("popular", 2, 1, 0, 3)]
    merged, missing = await found(index, sources, {"trending": 5}, k=3)
    assert merged == {1: ("popular",), 2: ("popular",), 3: ("trending",)}
    assert missing == ()


async def test_a_source_that_fails_is_told_of_and_the_others_answer(index: ItemIndex) -> None:
    sources = [Fixed("trending", error=RuntimeError("gone")), Fixed("fresh", 1)]
    assert await found(index, sources, {"trending": 1, "fresh": 1}) == ({1: ("fresh",)}, ("source_trending_failed",))


async def test_a_placement_adds_what_it_pins_to_its_sources(index: ItemIndex) -> None:
    retriever = Retriever(index, [Fixed("fresh", 1), Fixed("pinned", 3)], candidates=2)
    placement = Placement("shelf", sources={"fresh": 1}, pins=(Pin("x", 1),))  # type: ignore[arg-type]
    query = Query(ROWS, ROWS, np.ones(2, np.float32), np.zeros(2, np.float32))
    candidates, _ = await retriever.retrieve(asking(k=1), placement, intent_of(TASTE), query, [None])
    assert candidates.sources == (("fresh",), ("pinned",))
    assert "pinned" not in retriever.source_names


async def test_the_best_of_every_group_that_rules_treat_unlike_is_a_candidate(index: ItemIndex) -> None:
    retriever = Retriever(index, [RowSource(TASTE, index), Fixed("popular")], candidates=1)
    query = Query(ROWS, ROWS, np.ones(2, np.float32), np.zeros(2, np.float32))
    parted = [np.array([True, False, True, False]), np.array([False, True, False, True])]
    for groups, slots in (([None], [0]), (parted, [0, 1])):
        candidates, _ = await retriever.retrieve(asking(k=1), NO_PLACEMENT, intent_of(TASTE), query, groups)
        assert candidates.slots.tolist() == slots


async def test_each_row_of_an_intent_gives_its_own_best(index: ItemIndex) -> None:
    ask = Ask(
        asking(),
        NO_PLACEMENT,
        intent_of(TASTE, WORDS),
        Query(ROWS, ROWS, np.ones(2, np.float32), np.zeros(2, np.float32)),
        index.served(np.array([True, True, True, False])),
    )
    assert (await RowSource(TASTE, index).propose(ask, 2)).tolist() == [0, 2]
    assert (await RowSource(WORDS, index).propose(ask, 2)).tolist() == [1, 2]
    assert (await RowSource(Source.POPULAR, index).propose(ask, 2)).tolist() == []


def test_lists_are_merged_by_the_highest_place_in_any() -> None:
    assert merge([np.array([5, 3, 1]), np.array([1, 2, 3])]).tolist() == [5, 1, 3, 2]


def test_a_source_is_named_once_and_nothing_is_no_candidates() -> None:
    proposals = Proposals()
    assert (proposals.merged().slots.tolist(), proposals.merged().sources) == ([], ())
    proposals.add("words", [4, 2])
    proposals.add("words", [2])
    assert proposals.merged().slots.tolist() == [2, 4]
    assert proposals.merged().sources == (("words",), ("words",))


def test_nobody_is_asked_for_as_many_popular_items_as_there_may_be_places() -> None:
    assert default_quotas(200, 500, nobody=True)[Source.POPULAR] == 500
    known = default_quotas(200, 20, nobody=False, plugins=("mine",))
    assert (known[Source.INTERESTS], known[Source.POPULAR], known["mine"]) == (
        200,
        QUOTAS[Source.POPULAR],
        PLUGIN_QUOTA,
    )
