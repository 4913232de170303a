"""Bundles exchanged under load: what is leased stays open, what is no longer wanted is closed once and let go."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.errors import BundleError, UnknownBundle
from app.serving import Servings

pytestmark = pytest.mark.anyio


@dataclass(eq=False)
class World:
    version: str
    open: bool = True


@asynccontextmanager
async def open_world(folder: Path) -> AsyncIterator[World]:
    if folder.name == "damaged":
        raise BundleError("damaged")
    world = World(folder.name)
    yield world
    world.open = False


@pytest.fixture
async def servings() -> AsyncIterator[Servings[World]]:
    servings = Servings[World](open_world)
    await servings.open(Path("one"))
    servings.activate("one")
    yield servings
    await servings.close()


async def let_tasks_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_request_is_answered_to_its_end_by_the_bundle_it_began_with(servings: Servings[World]) -> None:
    with servings.lease() as before:
        await servings.open(Path("two"))
        servings.activate("two")
        servings.keep_only(frozenset())
        await let_tasks_run()
        with servings.lease() as after:
            assert (before.version, before.open, after.version) == ("one", True, "two")
    await let_tasks_run()
    assert (before.open, after.open) == (False, True)
    assert servings.versions == ("two",)


async def test_a_bundle_that_fails_to_open_changes_nothing(servings: Servings[World]) -> None:
    with pytest.raises(BundleError):
        await servings.open(Path("damaged"))
    assert servings.versions == ("one",)
    assert servings.active.version == "one"


async def test_one_opened_twice_is_there_once(servings: Servings[World]) -> None:
    assert await servings.open(Path("two")) is await servings.open(Path("two"))
    assert servings.versions == ("one", "two")


async def test_one_kept_open_beside_the_active_one_can_be_leased_by_name(servings: Servings[World]) -> None:
    await servings.open(Path("two"))
    servings.keep_only(frozenset({"two"}))
    with servings.lease("two") as beside:
        assert beside.version == "two"
    servings.keep_only(frozenset())
    with pytest.raises(UnknownBundle), servings.lease("two"):
        pass
    assert servings.active.open


async def test_what_was_exchanged_is_released(servings: Servings[World]) -> None:
    old = weakref.ref(servings.active)
    await servings.open(Path("two"))
    servings.activate("two")
    servings.keep_only(frozenset())
    await let_tasks_run()
    gc.collect()
    assert old() is None
