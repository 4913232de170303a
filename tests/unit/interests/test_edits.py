from pathlib import Path

import numpy as np
import pytest
from tiny_rooms import MONDAY_MORNING

from app.domain import EditOperation, FloatArray, InterestChange, UserId
from app.errors import TooManyEdits
from app.interests.edits import MAX_EDITS, EditStore, phrase_key
from app.storage.database import open_database

pytestmark = pytest.mark.anyio

ADA, BEN = UserId("ada"), UserId("ben")
TEXT: FloatArray = np.array([0.25, -1.5, 3e-8], dtype=np.float32)


async def say(store: EditStore, operation: str, phrase: str = "", user: UserId = ADA) -> None:
    await store.apply(user, [InterestChange(EditOperation(operation), phrase)], [TEXT], "b1", MONDAY_MORNING)


async def said(store: EditStore, user: UserId = ADA) -> list[tuple[str, str]]:
    return [(edit.operation.value, edit.phrase) for edit in store.of(user)]


async def test_what_was_said_is_there_after_a_restart_to_the_last_bit(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'edits.sqlite3'}"
    first = open_database(url)
    await say(EditStore(first), "never", "Musical")
    await first.close()
    second = open_database(url)
    (edit,) = EditStore(second).of(ADA)
    await second.close()
    assert (edit.operation, edit.phrase, edit.at, edit.version) == ("never", "Musical", MONDAY_MORNING, "b1")
    assert edit.text.tobytes() == TEXT.tobytes()


async def test_another_process_reads_it_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'edits.sqlite3'}"
    ours, theirs = open_database(url), open_database(url)
    await say(EditStore(ours), "less", "Horror")
    assert await said(EditStore(theirs)) == [("less", "Horror")]
    await ours.close()
    await theirs.close()


@pytest.fixture
async def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    database = open_database(f"sqlite:///{tmp_path / 'edits.sqlite3'}")
    yield EditStore(database)
    await database.close()


async def test_the_last_word_on_a_phrase_counts_whatever_its_case(store: EditStore) -> None:
    await say(store, "more", "Slow  Westerns")
    await say(store, "less", "slow westerns")
    assert await said(store) == [("less", "slow westerns")]


async def test_a_reset_takes_back_one_phrase_or_everything_of_this_user(store: EditStore) -> None:
    for phrase in ("a", "b", "c"):
        await say(store, "more", phrase)
    await say(store, "less", "a", BEN)
    await say(store, "reset", "B")
    assert await said(store) == [("more", "a"), ("more", "c")]
    await say(store, "reset")
    assert await said(store) == []
    assert await said(store, BEN) == [("less", "a")]


async def test_there_is_an_end_to_edits_and_the_call_that_passes_it_changes_nothing(store: EditStore) -> None:
    for n in range(MAX_EDITS - 1):
        await say(store, "more", f"phrase {n}")
    two = [InterestChange(EditOperation.LESS, phrase) for phrase in ("one", "another")]
    with pytest.raises(TooManyEdits, match="101"):
        await store.apply(ADA, two, [TEXT, TEXT], "b1", MONDAY_MORNING)
    assert len(await said(store)) == MAX_EDITS - 1


async def test_erasing_a_user_takes_theirs_alone(store: EditStore) -> None:
    await say(store, "more", "a")
    await say(store, "more", "b")
    await say(store, "more", "a", BEN)
    assert await store.delete_user(ADA) == 2
    assert await store.delete_user(ADA) == 0
    assert await said(store, BEN) == [("more", "a")]


def test_case_width_and_spaces_make_no_other_phrase() -> None:
    assert len({phrase_key(phrase) for phrase in ("Film Noir", " film  NOIR", "\uff46ilm noir")}) == 1
