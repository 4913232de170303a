"""A candidate that answers unseen: what is compared, what is dropped, and that the answer never waits for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from app.domain import Context, Item, ItemId, Rung, ServedBy, Slate, SlateItem, SlateRequest
from app.errors import Overloaded, UnknownBundle
from app.rollout.shadow import WAITING, Shadow, ShadowStore, correlation_of, overlap_of
from app.storage.database import Database, open_database

SERVED, CANDIDATE = "0" * 12, "1" * 12
ASKED = SlateRequest(Context(datetime(2025, 6, 6, tzinfo=UTC)), 4)

orders = st.permutations([ItemId(letter) for letter in "abcdefgh"])


def slate(order: str, bundle: str = SERVED, slate_id: str = "00000000") -> Slate:
    places = tuple(SlateItem(Item(ItemId(letter), letter), 1.0, {}, (), -1) for letter in order)
    return Slate(slate_id, places, ServedBy(bundle, Rung.FRESH, None, (), {}))


class Candidate:
    """Answers in an order of its own; `error` if set."""

    def __init__(self) -> None:
        self.order = "abdc"
        self.asked = 0
        self.first_position = 0
        self.error: Exception | None = None

    async def recommend(self, request: SlateRequest, first_position: int = 1) -> Slate:
        self.asked += 1
        self.first_position = first_position
        if self.error is not None:
            raise self.error
        return slate(self.order, CANDIDATE)


class Process:
    def __init__(self, database: Database) -> None:
        self.candidate = Candidate()
        self.open: frozenset[str] = frozenset()
        self.shadow = Shadow(ShadowStore(database), self.keep, self.lease)

    async def keep(self, versions: frozenset[str]) -> None:
        if versions - {CANDIDATE}:
            raise UnknownBundle("not there")
        self.open = versions

    @contextmanager
    def lease(self, version: str) -> Iterator[Candidate]:
        assert version in self.open
        yield self.candidate

    async def compare_waiting(self) -> None:
        """Let it work until nothing waits."""
        following = asyncio.create_task(self.shadow.follow(0.01))
        await asyncio.wait_for(self.shadow.drained(), 10)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'db'}")
    yield database
    await database.close()


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


@pytest.mark.anyio
async def test_slates_are_compared_and_the_report_is_of_all_processes(process: Process, database: Database) -> None:
    other = Process(database)
    await process.shadow.start(CANDIDATE, 1.0)
    for one, order, took_ms in ((process, "abdc", 2.0), (other, "abxy", 4.0)):
        one.candidate.order = order
        await one.shadow.catch_up()
        one.shadow.offer(ASKED, slate("abcd"), took_ms)
        await one.compare_waiting()
        await one.shadow.report(CANDIDATE)
    report = await process.shadow.report(CANDIDATE)
    assert (report.compared, report.overlap, report.overlap_se) == (2, 0.75, pytest.approx(0.25 / 2**0.5))
    assert report.correlation == pytest.approx((0.8 + 1.0) / 2)
    assert report.served_ms == (2.0, 2.0)
    assert report.shadow_ms is not None


@pytest.mark.anyio
async def test_a_later_page_is_compared_as_a_later_page(process: Process) -> None:
    await process.shadow.start(CANDIDATE, 1.0)
    process.shadow.offer(ASKED, slate("abcd"), 1.0, first_position=11)
    await process.compare_waiting()
    assert process.candidate.first_position == 11


@pytest.mark.anyio
async def test_only_the_share_asked_for_is_answered_twice(process: Process) -> None:
    await process.shadow.start(CANDIDATE, 0.25)
    for n in range(40):
        process.shadow.offer(ASKED, slate("abcd", slate_id=f"{n * 2**32 // 40:08x}0000"), 1.0)
    await process.compare_waiting()
    assert process.candidate.asked == 10


@pytest.mark.anyio
async def test_what_does_not_fit_the_queue_is_dropped_and_the_offer_never_waits(process: Process) -> None:
    await process.shadow.start(CANDIDATE, 1.0)
    for _ in range(3 * WAITING):
        process.shadow.offer(ASKED, slate("abcd"), 1.0)
    await process.compare_waiting()
    assert process.candidate.asked == WAITING


@pytest.mark.anyio
async def test_a_candidate_that_fails_is_no_comparison_and_stops_nothing(process: Process) -> None:
    await process.shadow.start(CANDIDATE, 1.0)
    process.candidate.error = Overloaded("busy")
    process.shadow.offer(ASKED, slate("abcd"), 1.0)
    await process.compare_waiting()
    process.candidate.error = None
    process.shadow.offer(ASKED, slate("abcd"), 1.0)
    await process.compare_waiting()
    assert (await process.shadow.report(CANDIDATE)).compared == 1


@pytest.mark.anyio
async def test_the_bundle_that_answers_is_not_compared_with_itself(process: Process) -> None:
    await process.shadow.start(CANDIDATE, 1.0)
    process.shadow.offer(ASKED, slate("abcd", bundle=CANDIDATE), 1.0)
    await process.compare_waiting()
    assert process.candidate.asked == 0


@pytest.mark.anyio
async def test_begun_anew_it_forgets_and_ended_it_keeps_its_report_and_lets_the_bundle_go(process: Process) -> None:
    await process.shadow.start(CANDIDATE, 1.0)
    process.shadow.offer(ASKED, slate("abcd"), 1.0)
    await process.compare_waiting()
    await process.shadow.report(CANDIDATE)
    await process.shadow.start(CANDIDATE, 0)
    assert process.open == frozenset()
    process.shadow.offer(ASKED, slate("abcd"), 1.0)
    ended = await process.shadow.report(CANDIDATE)
    assert (ended.share, ended.compared) == (0.0, 1)
    await process.shadow.start(CANDIDATE, 0.5)
    begun_anew = await process.shadow.report(CANDIDATE)
    assert (begun_anew.share, begun_anew.compared, begun_anew.overlap) == (0.5, 0, None)


@pytest.mark.anyio
async def test_a_bundle_that_is_not_there_makes_no_plan(process: Process) -> None:
    with pytest.raises(UnknownBundle):
        await process.shadow.start("9" * 12, 0.5)
    await process.shadow.catch_up()
    assert (await process.shadow.report("9" * 12)).share == 0.0


@settings(deadline=None)
@given(orders, orders)
def test_the_correlation_is_that_of_the_ranks(one: list[ItemId], other: list[ItemId]) -> None:
    expected = spearmanr([one.index(item) for item in one], [other.index(item) for item in one]).statistic
    assert correlation_of(one, other) == pytest.approx(expected)
    assert overlap_of(one, other) == 1.0


def test_what_has_less_than_two_items_in_common_has_no_order() -> None:
    a, b, c = (ItemId(letter) for letter in "abc")
    assert correlation_of([a, b], [b, c]) is None
    assert overlap_of([a, b], [b, c]) == 0.5
    assert overlap_of([], [a]) == 1.0
