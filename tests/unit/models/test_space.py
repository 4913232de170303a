from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import SMALL, random_events, random_space, stir

from models.context_gate import context_batch
from models.space import Blend, IdBlock, SasRecBlock, Space, WordsBlock


@pytest.fixture
def space(llama_folder: Path) -> Space:
    return random_space(llama_folder)


def texts(n: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


def test_an_item_without_events_is_where_its_text_is(space: Space) -> None:
    text, words = texts(9), texts(9, seed=2)
    assert torch.equal(space.item_vectors(text, words, torch.zeros(9)), space.text_vectors(text, words))


def test_words_are_a_unit_vector_that_says_nothing_of_taste_or_behaviour(space: Space) -> None:
    vectors = space.words_vectors(texts(4))
    assert vectors.shape == (4, 17)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(4), atol=1e-5)
    assert vectors[:, :8].abs().max() == vectors[:, 13:].abs().max() == 0


def test_the_words_block_keeps_what_the_pretrained_model_says_of_a_catalogues_texts() -> None:
    words = torch.nn.functional.normalize(texts(9) * torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]), dim=1)
    block = WordsBlock(SMALL)
    block.start(words)
    assert torch.allclose(block(words) @ block(words).T, words @ words.T, atol=1e-5)
    assert not any(weights.requires_grad for weights in block.parameters())


def test_a_catalogue_of_few_items_spans_few_directions() -> None:
    block = WordsBlock(SMALL)
    block.start(texts(2))
    assert [bool(row.any()) for row in block.directions.weight] == [True, True, False, False, False]


def test_behaviour_counts_half_after_shrink_events(space: Space) -> None:
    space.blend = Blend(shrink=5.0)
    vectors = space.item_vectors(texts(9), texts(9), torch.full((9,), 5.0))
    assert torch.allclose(vectors[:, 13:], space.id.encoder.item_vectors() / 2)


def test_behaviour_counts_more_with_every_event(space: Space) -> None:
    lengths = [space.item_vectors(texts(9), texts(9), torch.full((9,), n))[:, 13:].norm() for n in (1.0, 10.0, 1_000.0)]
    assert lengths == sorted(lengths)


def test_interests_are_the_blocks_side_by_side_each_by_its_weight(space: Space) -> None:
    space.blend = Blend(text=2.0, id=0.5)
    events = random_events([4, 7])
    interests = space.interests(events)
    assert interests.shape == (2, 3, 17)
    assert not interests[..., 8:13].any()
    assert torch.allclose(interests[..., :8], 2.0 * space.text.read(events))
    for k in range(3):
        assert torch.allclose(interests[:, k, 13:], 0.5 * space.id.read(events)[:, 0])


def test_gate_covers_both_blocks(space: Space) -> None:
    context = context_batch(np.array([0, 9**9]), np.array([-1, 60]), np.array([[0], [2]]), has_times=True)
    gate = space.gate(context)
    assert gate.shape == (2, 17)
    blocks = [space.text.gate(context), torch.ones(2, 5), space.id.gate(context)]
    assert torch.equal(gate, torch.cat(blocks, dim=1))
    assert 0 < gate.min() < gate.max() < 2


def test_projection_starts_at_the_directions_that_keep_the_catalogue_apart(space: Space) -> None:
    """Six numbers of text fit into eight dimensions whole: every cosine stays."""
    text = texts(9)
    space.text.start_projection(text)
    with torch.no_grad():
        space.text.projection.weight[6:] = 0
    unit = text / text.norm(dim=1, keepdim=True)
    projected = space.text.items(text)
    assert torch.allclose(projected @ projected.T, unit @ unit.T, atol=1e-5)


def test_without_dropout_two_readings_are_one(space: Space) -> None:
    assert torch.equal(space.interests(random_events([4])), space.interests(random_events([4])))


@pytest.mark.parametrize("block", [SasRecBlock, IdBlock])
def test_a_block_reads_the_last_of_what_it_reads_after_each_event(block: type[SasRecBlock]) -> None:
    torch.manual_seed(0)
    model, events = stir(block(SMALL)), random_events([4, 7])
    after_each = model.interests(events)
    last = after_each[torch.arange(2), events.lengths - 1]
    assert torch.allclose(model.read(events), last, atol=1e-5)


def test_an_id_block_starts_as_a_mean_of_the_last_items() -> None:
    torch.manual_seed(0)
    block = IdBlock(SMALL).eval()
    vectors = torch.eye(9, 4)
    block.start_items(vectors)
    one = random_events([1])
    one.rows[:] = 3
    with torch.no_grad():
        assert torch.allclose(block.read(one)[0, 0], vectors[2], atol=1e-6)


def test_an_item_without_a_told_vector_keeps_its_random_one() -> None:
    torch.manual_seed(0)
    block = IdBlock(SMALL)
    before = block.encoder.items.weight.detach().clone()
    block.start_items(torch.eye(9, 4))
    after = block.encoder.items.weight
    assert torch.equal(after[1:5], torch.eye(4))
    assert torch.equal(after[5:], before[5:])
    assert torch.equal(after[0], before[0])


def test_a_new_id_block_learns_in_every_part() -> None:
    """Zeros at the start are of layers that others feed, so after a few steps no weight has stood still."""
    torch.manual_seed(0)
    block = IdBlock(SMALL).eval()
    before = {name: weights.detach().clone() for name, weights in block.encoder.blocks.named_parameters()}
    optimizer = torch.optim.Adam(block.parameters(), lr=1e-2)
    for _ in range(8):
        optimizer.zero_grad()
        (block.interests(random_events([6, 8])) - 1).square().sum().backward()
        optimizer.step()
    for name, weights in block.encoder.blocks.named_parameters():
        assert (weights.detach() - before[name]).abs().max() > 0, name
