from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import event, reading
from tiny_rooms import Rooms

from app.domain import Item, ItemId
from app.interests.encoder import HistoryEncoder, Reading, read_events
from app.offline.dataset import Dataset
from app.offline.windows import NOBODY, Histories
from app.trained import Trained

CPU = torch.device("cpu")


def test_a_history_becomes_as_many_vectors_as_interests(tiny_trained: Trained) -> None:
    (vectors,) = HistoryEncoder(tiny_trained.space, CPU).encode([reading(tiny_trained, 3)])
    assert (vectors.shape, vectors.dtype) == ((2, tiny_trained.space.shape.dim), np.float32)


def test_histories_are_read_alike_alone_and_together(tiny_trained: Trained) -> None:
    encoder = HistoryEncoder(tiny_trained.space, CPU)
    readings = [reading(tiny_trained, n, seed=n) for n in (3, 12, 1, 7)]
    together = encoder.encode(readings)
    for one, vectors in zip(readings, together, strict=True):
        assert np.allclose(encoder.encode([one])[0], vectors, atol=1e-5)


def test_only_the_last_events_are_read(tiny_trained: Trained) -> None:
    encoder, whole = HistoryEncoder(tiny_trained.space, CPU), reading(tiny_trained, 20)
    cut = Reading(whole.text[8:], whole.rows[8:], whole.at_s[8:], whole.weights[8:])
    assert np.array_equal(encoder.encode([whole])[0], encoder.encode([cut])[0])


def test_serving_reads_a_history_as_training_does(tiny_trained: Trained, tiny_dataset: Dataset) -> None:
    codes = tiny_trained.context.encode_columns(tiny_dataset.context, len(tiny_dataset.rows))
    histories = Histories(tiny_dataset, tiny_trained.text, codes, has_times=True)
    positions = np.full((1, 12), NOBODY)
    positions[0, :9] = np.arange(9)
    with torch.inference_mode():
        trained_as = tiny_trained.space.interests(histories.events(positions))[0].numpy()
    rows = tiny_dataset.rows[:9]
    served = Reading(tiny_trained.text[rows], rows, tiny_dataset.at_s[:9], tiny_dataset.weights[:9])
    assert np.allclose(HistoryEncoder(tiny_trained.space, CPU).encode([served])[0], trained_as, atol=1e-5)


def test_leaving_out_an_event_leaves_the_others_in_order(tiny_trained: Trained) -> None:
    whole = reading(tiny_trained, 4)
    without = whole.without(1)
    for name in ("text", "rows", "at_s", "weights"):
        assert np.array_equal(getattr(without, name), getattr(whole, name)[[0, 2, 3]])


def test_the_only_event_cannot_be_left_out(tiny_trained: Trained) -> None:
    one = reading(tiny_trained, 1)
    assert one.without(0) is one


@pytest.mark.anyio
async def test_events_are_read_with_their_items_weights_and_times(rooms: Rooms) -> None:
    told = [event(0, "ada", "i3"), event(1, "ada", "i59", "dislike")]
    read, events = read_events(told, rooms.catalogue)
    assert read is not None
    assert events == tuple(told)
    assert (read.rows.tolist(), read.weights.tolist()) == ([3, 59], [1.0, -1.0])
    assert read.at_s.tolist() == [int(each.at.timestamp()) for each in told]
    assert np.array_equal(read.text, rooms.trained.text[[3, 59]])


@pytest.mark.anyio
async def test_events_on_items_we_never_held_are_passed_over(rooms: Rooms) -> None:
    told = [event(0, "ada", "i3"), event(1, "ada", "nowhere"), event(2, "ada", "i4")]
    read, events = read_events(told, rooms.catalogue)
    assert read is not None
    assert (read.rows.tolist(), [each.item_id for each in events]) == ([3, 4], ["i3", "i4"])


@pytest.mark.anyio
async def test_nothing_known_reads_as_nothing(rooms: Rooms) -> None:
    assert read_events([event(0, "ada", "nowhere")], rooms.catalogue) == (None, ())
    assert read_events([], rooms.catalogue) == (None, ())


@pytest.mark.anyio
async def test_a_deleted_item_still_tells_of_who_watched_it(rooms: Rooms) -> None:
    await rooms.catalogue.delete(ItemId("i3"))
    read, _ = read_events([event(0, "ada", "i3")], rooms.catalogue)
    assert read is not None
    assert read.rows.tolist() == [3]


@pytest.mark.anyio
async def test_an_item_newer_than_the_bundle_is_read_by_its_text_alone(rooms: Rooms) -> None:
    await rooms.catalogue.put(Item(ItemId("new"), "bright robots film"))
    read, _ = read_events([event(0, "ada", "new")], rooms.catalogue)
    assert read is not None
    assert read.rows.tolist() == [-1]
    assert np.array_equal(read.text, (await rooms.texts.encode(["bright robots film"]))[:, :32])
    (vectors,) = HistoryEncoder(rooms.trained.space, CPU).encode([read])
    assert np.isfinite(vectors).all()


@pytest.mark.anyio
async def test_how_much_of_an_item_was_taken_is_in_the_weight_that_is_read(rooms: Rooms) -> None:
    played = replace(event(1, "ada", "i3", "play"), completion=1.0)
    skipped = replace(event(2, "ada", "i4", "play"), completion=0.0)
    read, _ = read_events([played, skipped, event(3, "ada", "i5", "hide")], rooms.catalogue)
    assert read is not None
    assert read.weights.tolist() == pytest.approx([0.9, 0.1, -1.0])
