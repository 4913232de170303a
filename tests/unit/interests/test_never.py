import numpy as np
import pytest
from tiny_rooms import MONDAY_MORNING, Rooms

from app.domain import EditOperation, InterestChange, InterestEdit, Item, ItemId, UserId
from app.interests.never import NEAR

pytestmark = pytest.mark.anyio

ADA = UserId("ada")


async def never(rooms: Rooms, phrase: str, operation: EditOperation = EditOperation.NEVER) -> InterestEdit:
    (text,) = await rooms.texts.encode_words([phrase])
    return InterestEdit(operation, phrase, MONDAY_MORNING, text, rooms.version)


async def removed(rooms: Rooms, *edits: InterestEdit) -> set[str]:
    return {rooms.catalogue.item_at(int(slot)).item_id for slot in await rooms.never.removed(edits)}


def of_genre(rooms: Rooms, genre: str) -> set[str]:
    return {item.item_id for item in rooms.trained.items if genre in item.categories}


@pytest.mark.parametrize("phrase", ["western", "Western", " WESTERN "])
async def test_items_that_carry_the_phrase_as_a_category_go_whatever_its_case(rooms: Rooms, phrase: str) -> None:
    assert of_genre(rooms, "western") <= await removed(rooms, await never(rooms, phrase))


async def test_items_whose_text_is_close_to_the_phrase_go(rooms: Rooms) -> None:
    """Close: the phrase fits them NEAR deviations better than it fits the catalogue, worked out by hand."""
    film = Item(ItemId("new"), "slow tonight")
    await rooms.catalogue.put(film)
    edit = await never(rooms, "slow tonight")
    words = rooms.trained.space.shape.words
    items = rooms.catalogue.index.gather(np.arange(rooms.catalogue.index.n_slots))[:, words]
    fits = items @ rooms.texts.place_words(edit.text[None])[0, words]
    close = np.flatnonzero(fits > fits.mean() + NEAR * fits.std())
    found = await removed(rooms, edit)
    assert "new" in found
    assert found == {rooms.catalogue.item_at(int(slot)).item_id for slot in close} | {"new"}


async def test_several_words_are_found_in_a_title_or_a_description(rooms: Rooms) -> None:
    await rooms.catalogue.put(Item(ItemId("told"), "a film", description="wanted: something light for two robots"))
    assert {"told"} <= await removed(rooms, await never(rooms, "Light for two"))
    assert "told" not in await removed(rooms, await never(rooms, "light for tonight"))


async def test_a_new_item_is_removed_as_soon_as_it_is_there(rooms: Rooms) -> None:
    edit = await never(rooms, "western")
    assert await rooms.never.count(edit) == len(await removed(rooms, edit))
    await rooms.catalogue.put(Item(ItemId("new"), "quiet story", ("western",)))
    assert "new" in await removed(rooms, edit)


async def test_only_never_removes_and_deleted_items_are_not_counted(rooms: Rooms) -> None:
    for operation in (EditOperation.LESS, EditOperation.MORE):
        assert await removed(rooms, await never(rooms, "western", operation)) == set()
    edit = await never(rooms, "western")
    before = await rooms.never.count(edit)
    await rooms.catalogue.delete(ItemId(sorted(of_genre(rooms, "western"))[0]))
    assert await rooms.never.count(edit) == before - 1


async def test_edits_of_another_bundle_are_read_again(rooms: Rooms) -> None:
    change = InterestChange(EditOperation.NEVER, "western")
    await rooms.editor.edit(ADA, [change])
    (old,), complete = await rooms.editor.read(ADA)
    rooms.editor._version = "another"
    (new,), again = await rooms.editor.read(ADA)
    assert (complete, again, old.version, new.version) == (True, True, rooms.version, "another")
    assert np.allclose(new.text, old.text, atol=1e-5)
