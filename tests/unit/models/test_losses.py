from math import e, exp, log

import pytest
import torch
from torch import Tensor

from models.losses import (
    in_batch_cross_entropy,
    interest_cross_entropy,
    mean_interest_cross_entropy,
    routing_balance,
    similarity_tether,
    tether,
)

ROWS = torch.tensor([0, 1])
NO_PRIOR = torch.zeros(1)
ITEMS = torch.tensor([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
TWO_INTERESTS = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])  # (1, 2, 2)


def near(loss: Tensor, expected: float) -> bool:
    return loss.item() == pytest.approx(expected, abs=1e-5)


def test_loss_is_of_the_best_interest() -> None:
    """Item 0 is scored max(2, 0), item 1 max(0, 1): ln(1 + e^-1)."""
    loss = interest_cross_entropy(TWO_INTERESTS, ITEMS[:2], torch.tensor([0]), NO_PRIOR)
    assert near(loss, log(1 + exp(-1)))


def test_loss_over_all_items_counts_them_all() -> None:
    loss = interest_cross_entropy(TWO_INTERESTS, ITEMS, torch.tensor([0]), NO_PRIOR)
    assert near(loss, -2 + log(exp(2) + exp(1) + exp(5)))


def test_mean_loss_is_of_the_mean_interest() -> None:
    """The mean is (0.5, 0.5): item 0 is scored 1, item 1 0.5."""
    loss = mean_interest_cross_entropy(TWO_INTERESTS, ITEMS[:2], torch.tensor([1]), NO_PRIOR)
    assert near(loss, log(1 + exp(0.5)))


def test_a_single_interest_is_its_own_best() -> None:
    """The short way for K = 1 gives what the long way gives for an interest told twice."""
    one = torch.tensor([[[0.5, 2.0]]])
    twice, targets = one.expand(-1, 2, -1), torch.tensor([1])
    assert near(
        interest_cross_entropy(one, ITEMS, targets, NO_PRIOR),
        interest_cross_entropy(twice, ITEMS, targets, NO_PRIOR).item(),
    )


def test_a_prior_in_the_softmax_takes_popularity_off_the_vectors() -> None:
    """Item 1 is said to be e times as popular: scores 2 and 1 + 1 are even, ln 2."""
    loss = interest_cross_entropy(TWO_INTERESTS, ITEMS[:2], torch.tensor([0]), torch.tensor([0.0, 1.0]))
    assert near(loss, log(2))


def test_routing_is_balanced_when_each_interest_wins_as_much() -> None:
    interests = torch.tensor([[[50.0, 0.0], [0.0, 50.0]]]).expand(2, -1, -1)
    assert near(routing_balance(interests, torch.eye(2), torch.tensor([0, 1])), 0)


@pytest.mark.parametrize("interests", [2, 4])
def test_routing_that_has_collapsed_costs_the_log_of_the_interests(interests: int) -> None:
    one_wins = torch.zeros(3, interests, 2)
    one_wins[:, 0] = 50.0
    assert near(routing_balance(one_wins, torch.ones(1, 2), torch.tensor([0, 0, 0])), log(interests))


def test_pairs_have_each_others_items_as_negatives() -> None:
    assert near(
        in_batch_cross_entropy(torch.eye(2), torch.eye(2), ROWS, torch.zeros(2), temperature=1.0), log(1 + exp(-1))
    )


def test_temperature_divides_the_cosines() -> None:
    assert near(
        in_batch_cross_entropy(torch.eye(2), torch.eye(2), ROWS, torch.zeros(2), temperature=0.5), log(1 + exp(-2))
    )


def test_the_same_item_drawn_twice_is_no_negative_of_itself() -> None:
    """Pairs 0 and 2 are one: each has pair 1 alone against it. Pair 1 has both."""
    twice = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    loss = in_batch_cross_entropy(twice, twice, torch.tensor([7, 8, 7]), torch.zeros(3), temperature=1.0)
    assert near(loss, (2 * log(1 + 1 / e) + log(1 + 2 / e)) / 3)


def test_an_item_that_is_drawn_often_counts_less_as_a_negative() -> None:
    """Item 1 makes up e^-1 of what is drawn, item 0 all but nothing more: logits of pair 0 are 1 + 2 and 0 + 1."""
    loss = in_batch_cross_entropy(torch.eye(2)[:1].expand(2, -1), torch.eye(2), ROWS, torch.tensor([-2.0, -1.0]), 1.0)
    pair_0, pair_1 = log(1 + exp(-2)), log(1 + exp(2))
    assert near(loss, (pair_0 + pair_1) / 2)


def test_tether_is_the_mean_squared_distance() -> None:
    assert near(tether(torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.zeros(2, 2)), 12.5)


def test_similarity_tether_asks_for_the_same_cosines_only() -> None:
    turned = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    assert near(similarity_tether(turned, torch.eye(2)), 0)
    assert near(similarity_tether(torch.tensor([[1.0], [1.0]]), torch.eye(2)), 0.5)
