import pytest
import torch
from tiny import changed_from, random_events, stir

from models.id_encoder import IdEncoder


def encoder(*, has_times: bool = True) -> IdEncoder:
    torch.manual_seed(0)
    fresh = IdEncoder(n_items=9, dim=8, layers=2, heads=2, max_events=12, dropout=0.3, has_times=has_times)
    return stir(fresh)


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("place", [1, 4, 7])
def test_a_later_event_never_changes_an_earlier_state(place: int, has_times: bool) -> None:
    one, other = changed_from(place, has_times=has_times)
    model = encoder(has_times=has_times)
    moved = (model(one) - model(other)).abs().amax(dim=-1)[0]
    assert moved[:place].max() < 1e-5
    assert moved[place:].min() > 1e-3


def test_an_earlier_event_is_remembered() -> None:
    one, other = random_events([8], seed=1), random_events([8], seed=1)
    other.rows[0, 0] = (one.rows[0, 0] + 1) % 9
    model = encoder()
    assert (model(one) - model(other)).abs().amax(dim=-1)[0].min() > 1e-4


@pytest.mark.parametrize("has_times", [True, False])
def test_padding_changes_no_answer(has_times: bool) -> None:
    model, lengths = encoder(has_times=has_times), [3, 12, 1, 7]
    together = model.read(random_events(lengths, has_times=has_times))
    for place, length in enumerate(lengths):
        batch = random_events(lengths, has_times=has_times)
        alone = type(batch)(*(getattr(batch, name)[place : place + 1] for name in batch.__slots__))
        cut = type(batch)(*(v if v.ndim == 1 else v[:, :length] for v in (getattr(alone, n) for n in alone.__slots__)))
        assert torch.allclose(together[place], model.read(cut)[0], atol=1e-5)


def test_without_a_clock_times_make_no_difference() -> None:
    one, other = random_events([6], has_times=False), random_events([6], has_times=False)
    other.at_s.mul_(2)
    assert torch.equal(encoder(has_times=False)(one), encoder(has_times=False)(other))


def test_item_vectors_are_in_row_order_without_the_unknown_item_and_around_nothing() -> None:
    """Their mean is 0, so that an item without events, scored 0, stands where an average item does."""
    model = encoder()
    table = model.items.weight[1:10]
    assert torch.equal(model.item_vectors(), table - table.mean(dim=0))
    assert model.item_vectors().mean(dim=0).abs().max() < 1e-6


def test_outside_training_the_same_history_gives_the_same_answer() -> None:
    model = encoder()
    assert torch.equal(model.read(random_events([5])), model.read(random_events([5])))


def test_in_training_dropout_is_at_work() -> None:
    model = encoder().train()
    assert not torch.equal(model.read(random_events([5])), model.read(random_events([5])))
