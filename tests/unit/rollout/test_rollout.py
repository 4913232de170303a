"""Decisions about bundles, by two processes over one store. What a bundle holds is made up; its folder is not."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.bundle import open_bundle, read_manifest, seal
from app.errors import BundleError, BundleUnfit, NothingBefore, UnknownBundle
from app.rollout.decisions import DecisionStore
from app.rollout.rollout import Rollout
from app.serving import Servings
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

ABOUT = {
    **dict.fromkeys(("dataset", "dataset_digest", "text_model", "user_model", "recipe", "protocol", "torch"), "x"),
    **dict.fromkeys(("seed", "n_items", "text_dim", "id_dim", "prior_dim", "interests", "history_events"), 1),
}


@dataclass(eq=False)
class World:
    version: str
    warmed: bool = False
    open: bool = True


@asynccontextmanager
async def open_world(folder: Path) -> AsyncIterator[World]:
    world = World(open_bundle(folder).version)
    yield world
    world.open = False


async def warm(world: World) -> int:
    world.warmed = True
    return 7


def make_bundle(folder: Path, content: str) -> str:
    folder.mkdir(parents=True)
    (folder / "weights").write_text(content)
    version = seal(folder, ABOUT).version
    return folder.rename(folder.parent / version).name


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def one(artifacts: Path) -> str:
    return make_bundle(artifacts / "new", "one")


@pytest.fixture
def two(artifacts: Path) -> str:
    return make_bundle(artifacts / "new", "two")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'db'}")
    yield database
    asyncio.run(database.close())


async def start(artifacts: Path, configured: str, database: Database) -> tuple[Rollout[World], Servings[World]]:
    servings = Servings[World](open_world)
    rollout = Rollout(servings, DecisionStore(database), artifacts / configured, open_bundle, warm)
    await rollout.start()
    return rollout, servings


async def let_tasks_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_bundle_is_warmed_then_answers_and_the_one_before_is_closed(
    artifacts: Path, one: str, two: str, database: Database
) -> None:
    rollout, servings = await start(artifacts, one, database)
    before = servings.active
    activated = await rollout.activate(two)
    await let_tasks_run()
    assert (activated.version, activated.before, activated.warmed_users) == (two, one, 7)
    assert (servings.active.version, servings.active.warmed, before.open) == (two, True, False)
    listed = await rollout.list()
    assert {known.manifest.version for known in listed} == {one, two}
    assert {known.manifest.version for known in listed if known.active and known.serving} == {two}


async def test_another_process_follows(artifacts: Path, one: str, two: str, database: Database) -> None:
    rollout, _ = await start(artifacts, one, database)
    other, other_servings = await start(artifacts, one, database)
    following = asyncio.create_task(other.follow(0.01))
    await rollout.activate(two)
    async with asyncio.timeout(10):
        while other_servings.active.version != two:  # noqa: ASYNC110 - nothing tells of it but the store
            await asyncio.sleep(0.01)
    assert other_servings.active.warmed
    following.cancel()


async def test_rolled_back_twice_the_first_one_answers_again(
    artifacts: Path, one: str, two: str, database: Database
) -> None:
    rollout, servings = await start(artifacts, one, database)
    with pytest.raises(NothingBefore):
        await rollout.roll_back()
    await rollout.activate(two)
    answered = [(await rollout.roll_back()).version for _ in range(3)]
    assert answered == [one, two, one]
    assert servings.active.version == one


async def test_a_damaged_bundle_is_refused_and_nothing_changes(
    artifacts: Path, one: str, two: str, database: Database
) -> None:
    rollout, servings = await start(artifacts, one, database)
    (artifacts / two / "weights").write_text("twa")
    with pytest.raises(BundleUnfit, match="weights is damaged"):
        await rollout.verify(two)
    with pytest.raises(BundleUnfit, match="weights is damaged"):
        await rollout.activate(two)
    with pytest.raises(UnknownBundle):
        await rollout.activate("0" * 12)
    assert servings.versions == (one,)
    assert [known.active for known in await rollout.list() if known.manifest.version == one] == [True]


async def test_a_restart_keeps_to_the_decision_until_the_setting_points_elsewhere(
    artifacts: Path, one: str, two: str, database: Database
) -> None:
    three = make_bundle(artifacts / "new", "three")
    rollout, _ = await start(artifacts, one, database)
    await rollout.activate(two)
    assert (await start(artifacts, one, database))[1].active.version == two
    again, servings = await start(artifacts, three, database)
    assert servings.active.version == three
    assert {known.manifest.version for known in await again.list() if known.active} == {three}
    assert (await again.roll_back()).version == two


async def test_a_decided_bundle_that_is_gone_leaves_the_configured_one_to_answer(
    artifacts: Path, one: str, two: str, database: Database
) -> None:
    rollout, _ = await start(artifacts, one, database)
    await rollout.activate(two)
    (artifacts / two / "weights").unlink()
    assert (await start(artifacts, one, database))[1].active.version == one
    (artifacts / one / "weights").unlink()
    with pytest.raises(BundleError):
        await start(artifacts, one, database)


async def test_what_is_kept_for_a_purpose_stays_open_across_an_activation(
    artifacts: Path, one: str, two: str, database: Database
) -> None:
    rollout, servings = await start(artifacts, one, database)
    await rollout.keep("experiments", frozenset({one, two}))
    await rollout.activate(two)
    assert set(servings.versions) == {one, two}
    await rollout.keep("experiments", frozenset())
    assert servings.versions == (two,)


async def test_verifying_tells_the_manifest_and_opens_nothing(artifacts: Path, one: str, database: Database) -> None:
    rollout, servings = await start(artifacts, one, database)
    manifest, took_s = await rollout.verify(one)
    assert manifest == read_manifest(artifacts / one)
    assert took_s >= 0
    assert servings.versions == (one,)
