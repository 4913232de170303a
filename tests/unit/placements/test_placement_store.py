from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain import ItemId
from app.errors import PlacementExists, PlacementRefused, UnknownPlacement
from app.placements.live import LivePlacements
from app.placements.placement import (
    CategoryCap,
    Pin,
    Placement,
    Sponsorship,
    placement_from_json,
    placement_to_json,
)
from app.placements.store import PlacementStore
from app.reranking.compose import Diversifier, Knobs
from app.storage.database import Database, open_database

pytestmark = pytest.mark.anyio

HOME = Placement(
    "home",
    k=12,
    description="The first shelf",
    sources={"interests": 100, "trending": 10},
    filter="year > 1990",
    pins=(Pin(ItemId("i1"), 2),),
    caps=(CategoryCap("horror", 1),),
    max_per_category=4,
    sponsored=Sponsorship(0.2, "Ad"),
    knobs=Knobs(0.3, 0.1, 0.05, Diversifier.MMR),
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/penchant.sqlite3")
    yield database
    await database.close()


def anything(_placement: Placement) -> None:
    """No placement names what is not there."""


def test_a_placement_is_read_as_it_was_written() -> None:
    for placement in (HOME, Placement("plain")):
        assert placement_from_json(placement_to_json(placement)) == placement
    assert placement_from_json('{"name": "old"}') == Placement("old")


async def test_every_change_is_a_version_and_the_newest_counts(database: Database) -> None:
    store = PlacementStore(database)
    assert (await store.put(HOME)).version == 1
    assert (await store.put(Placement("home", k=5))).version == 2
    assert (await store.get("home")).placement == Placement("home", k=5)
    assert (await store.get("home", 1)).placement == HOME
    assert [version.version for version in await store.versions("home")] == [2, 1]


async def test_a_deleted_placement_is_gone_keeps_its_versions_and_can_come_again(database: Database) -> None:
    store = PlacementStore(database)
    await store.put(HOME)
    await store.delete("home")
    with pytest.raises(UnknownPlacement):
        await store.get("home")
    with pytest.raises(UnknownPlacement):
        await store.delete("home")
    assert (await store.get("home", 1)).placement == HOME
    assert (await store.put(HOME, create=True)).version == 3
    assert [version.placement is None for version in await store.versions("home")] == [False, True, False]


async def test_what_is_there_is_not_created_again_and_what_never_was_is_unknown(database: Database) -> None:
    store = PlacementStore(database)
    await store.put(HOME, create=True)
    with pytest.raises(PlacementExists):
        await store.put(Placement("home"), create=True)
    assert (await store.get("home")).version == 1
    for asked in (store.get("other"), store.get("home", 9), store.versions("other")):
        with pytest.raises(UnknownPlacement):
            await asked


async def test_a_new_placement_is_found_everywhere_at_once_a_changed_one_elsewhere_after_catching_up(
    database: Database,
) -> None:
    here, there = (LivePlacements(PlacementStore(database), anything) for _ in range(2))
    with pytest.raises(UnknownPlacement):
        await there.find("home")
    await here.put(HOME)
    assert await here.find("home") == HOME
    assert await there.find("home") == HOME
    await there.put(Placement("home", k=3))
    await there.put(Placement("also"))
    assert [version.name for version in await here.all()] == ["also", "home"]
    assert (await here.find("home")).k == 3
    await there.delete("home")
    await here.catch_up()
    with pytest.raises(UnknownPlacement):
        await here.find("home")


async def test_a_placement_that_is_refused_changes_nothing(database: Database) -> None:
    def refuse(_placement: Placement) -> None:
        raise PlacementRefused("no")

    placements = LivePlacements(PlacementStore(database), refuse)
    with pytest.raises(PlacementRefused):
        await placements.put(HOME)
    assert await placements.all() == []
