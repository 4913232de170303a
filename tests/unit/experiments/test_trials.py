"""Requests put into arms by one process, and experiments of other processes followed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain import Context, SlateRequest, UserId
from app.errors import ExperimentExists, UnknownBundle, UnknownExperiment
from app.experiments.desk import ExperimentDesk
from app.experiments.experiment import Arm, Experiment
from app.experiments.store import ExperimentStore
from app.experiments.trials import Trials, bundles_of
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

NOW = datetime(2025, 6, 6, tzinfo=UTC)
BUNDLE = "a" * 12
TWO = Experiment("colours", (Arm("red"), Arm("blue", diversity=0.5, placement="home")), NOW)


def asking(user_id: str | None = None, **more: Any) -> SlateRequest:
    return SlateRequest(Context(NOW), 5, None if user_id is None else UserId(user_id), **more)


class Process:
    """One process's part: the bundles it was asked to hold are open, unless they are not there."""

    def __init__(self, database: Database) -> None:
        self.store = ExperimentStore(database)
        self.open: frozenset[str] = frozenset()
        self.trials = Trials(self.store, self.keep, lambda version: version in self.open)
        self.desk = ExperimentDesk(self.store, self.trials, self.check)

    async def keep(self, versions: frozenset[str]) -> None:
        if versions - {BUNDLE}:
            raise UnknownBundle("not there")
        self.open = versions

    async def check(self, experiment: Experiment) -> None:
        await self.keep(bundles_of([experiment]))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'db'}")
    yield database
    await database.close()


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


async def test_a_request_is_served_as_its_arm_says_and_marked(process: Process) -> None:
    await process.desk.create(TWO)
    served = {}
    for n in range(20):
        assigned = process.trials.assign(asking(f"u{n}")).request
        served[assigned.arm] = (assigned.diversity, assigned.placement)
    assert served == {"colours/red": (None, None), "colours/blue": (0.5, "home")}


async def test_a_session_stays_in_its_arm_and_nobody_takes_part_in_nothing(process: Process) -> None:
    await process.desk.create(TWO)
    arms = {process.trials.assign(asking(session_id="visit-1")).request.arm for _ in range(5)}
    assert len(arms) == 1
    assert arms <= {"colours/red", "colours/blue"}
    assert process.trials.assign(asking()).request.arm is None


async def test_only_requests_for_its_placements_take_part_and_the_first_by_name_wins(process: Process) -> None:
    await process.desk.create(replace(TWO, placements=("home",)))
    await process.desk.create(replace(TWO, name="sizes"))
    asked = [process.trials.assign(asking("u1", placement=name)).request.arm for name in ("home", "cart")]
    assert [str(arm).partition("/")[0] for arm in asked] == ["colours", "sizes"]


async def test_another_process_hears_of_a_change_and_of_an_end(process: Process, database: Database) -> None:
    other = Process(database)
    await process.desk.create(TWO)
    await other.trials.catch_up()
    assert other.trials.assign(asking("u1")).request.arm == process.trials.assign(asking("u1")).request.arm
    await process.desk.put(replace(TWO, running=False))
    await other.trials.catch_up()
    assert other.trials.assign(asking("u1")).request.arm is None
    await process.desk.put(TWO)
    await process.desk.delete("colours")
    await other.trials.catch_up()
    assert other.trials.assign(asking("u1")).request.arm is None
    with pytest.raises(UnknownExperiment):
        await other.desk.get("colours")


async def test_an_arm_with_a_bundle_counts_once_the_bundle_is_open(process: Process, database: Database) -> None:
    arms = (Arm("now", bundle=BUNDLE), Arm("also", bundle=BUNDLE))
    await process.desk.create(replace(TWO, arms=arms))
    assert process.trials.assign(asking("u1")).bundle == BUNDLE
    process.open = frozenset()  # as in a process that is still opening it
    assigned = process.trials.assign(asking("u1"))
    assert (assigned.bundle, assigned.request.arm) == (None, None)


async def test_an_experiment_with_a_bundle_that_is_not_there_is_not_stored(process: Process) -> None:
    with pytest.raises(UnknownBundle):
        await process.desk.create(replace(TWO, arms=(Arm("now"), Arm("then", bundle="b" * 12))))
    assert await process.desk.list() == []


async def test_the_same_name_is_refused_by_create_and_replaced_by_put(process: Process) -> None:
    await process.desk.create(TWO)
    with pytest.raises(ExperimentExists):
        await process.desk.create(TWO)
    later = replace(TWO, started_at=datetime(2025, 7, 1, tzinfo=UTC), about="a note")
    kept, created = await process.desk.put(later)
    assert (created, kept.started_at, kept.about) == (False, NOW, "a note")
    begun_anew, _ = await process.desk.put(replace(later, traffic=0.5))
    assert begun_anew.started_at == later.started_at
    assert await process.desk.list() == [begun_anew]


async def test_a_failing_store_is_asked_again(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OSError("disk"), 1])

    def last_seq() -> int:
        answer = next(answers, 1)
        if isinstance(answer, Exception):
            raise answer
        return answer

    await process.store.put(TWO)
    monkeypatch.setattr(process.store, "last_seq", last_seq)
    following = asyncio.create_task(process.trials.follow(0.001, retry_s=0.001))
    async with asyncio.timeout(5):
        while process.trials.assign(asking("u1")).request.arm is None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)
    following.cancel()
