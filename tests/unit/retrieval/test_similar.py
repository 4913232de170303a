import pytest
from tiny import event, tiny_items
from tiny_rooms import Rooms, asking

from app.crowd.crowd import Crowd
from app.domain import EditOperation, InterestChange, Item, ItemId, Likeness, Rung, UserId
from app.errors import UnknownItem, UnknownUser
from app.retrieval.similar import SimilarItems, SimilarityFinder

pytestmark = pytest.mark.anyio


@pytest.fixture
async def crowd(rooms: Rooms) -> Crowd:
    """i3 goes with i47, and with nothing else."""
    walks = [(f"u{user}", (3, 47)) for user in range(6)] + [("ada", (3, 12, 30)), ("bob", (12, 30, 31)), ("cyd", (5,))]
    await rooms.histories.append(
        [
            event(10 * n + place, user, f"i{item}")
            for n, (user, items) in enumerate(walks)
            for place, item in enumerate(items)
        ]
    )
    crowd = rooms.crowd()
    await crowd.start()
    return crowd


@pytest.fixture
def finder(rooms: Rooms, crowd: Crowd) -> SimilarityFinder:
    return SimilarityFinder(rooms.catalogue, crowd, rooms.scorer, rooms.intents(), rooms.histories, rooms.never)


def ids(found: SimilarItems) -> list[str]:
    return [each.item.item_id for each in found.items]


@pytest.mark.parametrize("by", list(Likeness))
async def test_scores_are_the_sum_of_their_parts_and_fall(finder: SimilarityFinder, by: Likeness) -> None:
    found = await finder.items(ItemId("i3"), by, asking("ada", k=10), 0.5)
    scores = [each.score for each in found.items]
    assert len(set(ids(found))) == 10
    assert "i3" not in ids(found)
    assert scores == sorted(scores, reverse=True)
    for each in found.items:
        assert sum(each.parts.values()) == pytest.approx(each.score, abs=1e-6)
        assert set(each.parts) == {"text", "behaviour", "taste"}


async def test_by_behaviour_what_the_same_users_liked_lately_rises(rooms: Rooms, finder: SimilarityFinder) -> None:
    """Against what training alone says of who likes both, which is all that a crowd without events leaves."""
    trained = SimilarityFinder(
        rooms.catalogue, rooms.crowd(), rooms.scorer, rooms.intents(), rooms.histories, rooms.never
    )
    before, after = [
        {each.item.item_id: each for each in found.items}
        for found in [
            await each.items(ItemId("i3"), Likeness.BEHAVIOUR, asking(k=60), 0.3) for each in (trained, finder)
        ]
    ]
    rise = {item_id: each.score - before[item_id].score for item_id, each in after.items()}
    assert max(rise, key=lambda item_id: rise[item_id]) == "i47"
    assert rise["i47"] > 0.1
    assert {item_id for item_id, more in rise.items() if more > 1e-6} == {"i47", "i12", "i30"}
    assert all(each.parts["text"] == 0 for each in after.values())


@pytest.mark.parametrize("user_impact", [0.0, 0.5])
async def test_what_the_asker_never_wants_is_not_among_them(
    rooms: Rooms, finder: SimilarityFinder, user_impact: float
) -> None:
    await rooms.editor.edit(UserId("ada"), [InterestChange(EditOperation.NEVER, "western")])
    found = await finder.items(ItemId("i3"), Likeness.BOTH, asking("ada", k=60), user_impact)
    assert found.items
    assert not [each for each in found.items if "western" in each.item.categories]


async def test_by_text_a_copy_stands_first_and_users_count_for_nothing(rooms: Rooms, finder: SimilarityFinder) -> None:
    await rooms.catalogue.put(Item(ItemId("copy"), tiny_items()[3].title, ("space",)))
    found = await finder.items(ItemId("i3"), Likeness.TEXT, asking(k=5), 0.3)
    assert ids(found)[0] == "copy"
    assert found.items[0].score == pytest.approx(1.0, abs=1e-4)
    assert all(each.parts["behaviour"] == 0 for each in found.items)
    assert ids(await finder.items(ItemId("copy"), Likeness.BOTH, asking(k=60), 0.0))[0] == "i3"


async def test_the_more_the_user_counts_the_more_their_taste_decides(finder: SimilarityFinder) -> None:
    none, some, all_ = [
        await finder.items(ItemId("i3"), Likeness.BOTH, asking("bob", k=30), impact) for impact in (0.0, 0.5, 1.0)
    ]
    nobody = await finder.items(ItemId("i3"), Likeness.BOTH, asking(k=30), 1.0)
    assert ids(none) == ids(nobody)
    assert ids(all_) != ids(none)
    assert all_.rung in {Rung.FRESH, Rung.CACHED}
    assert [each.parts["taste"] for each in all_.items] == sorted(
        (each.parts["taste"] for each in all_.items), reverse=True
    )
    assert ids(some) != ids(all_)


async def test_a_user_of_whom_nothing_is_known_counts_for_nothing(finder: SimilarityFinder) -> None:
    stranger = await finder.items(ItemId("i3"), Likeness.BOTH, asking("stranger", k=10), 1.0)
    assert ids(stranger) == ids(await finder.items(ItemId("i3"), Likeness.BOTH, asking(k=10), 1.0))


async def test_an_item_that_is_not_served_is_unknown(rooms: Rooms, finder: SimilarityFinder) -> None:
    await rooms.catalogue.delete(ItemId("i3"))
    for item_id in ("i3", "nowhere"):
        with pytest.raises(UnknownItem):
            await finder.items(ItemId(item_id), Likeness.BOTH, asking(), 0.0)
    assert "i3" not in ids(await finder.items(ItemId("i47"), Likeness.BOTH, asking(k=60), 0.0))


async def test_users_are_alike_by_what_both_liked(rooms: Rooms, finder: SimilarityFinder) -> None:
    alike = await finder.users(UserId("ada"), 3)
    assert (alike[0].user_id, alike[0].shared_items) == ("bob", 2)
    assert 0 < alike[1].likeness < alike[0].likeness <= 1
    assert await finder.users(UserId("cyd"), 3) == []
    with pytest.raises(UnknownUser):
        await finder.users(UserId("nobody"), 3)
    await rooms.histories.delete_user(UserId("bob"))
    assert "bob" not in {each.user_id for each in await finder.users(UserId("ada"), 3)}
