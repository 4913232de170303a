import pytest
import torch
from tiny import random_events

from models.events import EventBatch
from models.pooling import RecencyPooling


def pooling(interests: int = 3, *, has_times: bool = True) -> RecencyPooling:
    torch.manual_seed(0)
    pooled = RecencyPooling(interests, has_times=has_times)
    torch.nn.init.normal_(pooled.elapsed.weight)
    return pooled.requires_grad_(requires_grad=False)


def with_weights(events: EventBatch, buckets: list[int]) -> EventBatch:
    events.weights[0] = torch.tensor(buckets)
    return events


@pytest.mark.parametrize("has_times", [True, False])
def test_the_mean_after_the_last_event_is_the_last_of_those_after_each(has_times: bool) -> None:
    events = random_events([7, 3, 1], has_times=has_times)
    vectors = torch.randn(3, 7, 5)
    pooled = pooling(has_times=has_times)
    after_each = pooled(vectors, events)
    assert after_each.shape == (3, 7, 3, 5)
    for place, length in enumerate((7, 3, 1)):
        assert torch.allclose(after_each[place, length - 1], pooled.read(vectors, events)[place], atol=1e-5)


def test_it_is_a_mean_of_what_was_there_so_far() -> None:
    """Equal vectors give themselves; a later event changes nothing before it."""
    events, vectors = random_events([6]), torch.randn(1, 6, 5)
    same = vectors[:, :1].expand(-1, 6, -1)
    assert torch.allclose(pooling()(same, events), same.unsqueeze(2).expand(-1, -1, 3, -1), atol=1e-5)
    later = vectors.clone()
    later[0, 4:] += 1
    moved = (pooling()(vectors, events) - pooling()(later, events)).abs().amax(dim=(0, 2, 3))
    assert moved[:4].max() == 0
    assert moved[4:].min() > 0


def test_at_the_start_the_first_interest_is_of_the_last_event_and_the_last_one_of_them_all() -> None:
    events = with_weights(random_events([8], has_times=False), [7] * 8)
    shares = RecencyPooling(4, has_times=False).read(torch.eye(8).unsqueeze(0), events)[0]  # (4, 8): who weighs what
    assert torch.allclose(shares.sum(dim=1), torch.ones(4))
    assert shares[0, -1] > 0.6
    assert shares[3].max() < 0.15
    assert (shares[:-1, -1] > shares[1:, -1]).all()


def test_a_refusal_tells_little_of_what_is_liked() -> None:
    events = with_weights(random_events([3], has_times=False), [7, 7, 0])
    (share,) = RecencyPooling(1, has_times=False).read(torch.eye(3).unsqueeze(0), events)[0]
    assert share[2] < 0.05
