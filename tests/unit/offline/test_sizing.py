import dataclasses

import pytest

from app.offline.recipes import get_recipe
from app.offline.sizing import size

CPU = get_recipe("cpu")


@pytest.mark.parametrize(
    ("n_events", "n_items", "tokens", "dropout"),
    [
        (1_000, 100, 256, 0.5),  # never fewer tokens than that
        (160_000, 10_000, 400, 0.5),  # 16 events an item
        (1_000_000, 5_000, 2_500, 0.2),  # 200 events an item
        (20_000_000, 10_000, 3_200, 0.2),  # never more tokens than the recipe says
    ],
)
def test_steps_and_dropout_follow_the_data(n_events: int, n_items: int, tokens: int, dropout: float) -> None:
    sizes = size(CPU, n_events, n_items)
    assert (sizes.id_batch_tokens, sizes.id_dropout) == (tokens, dropout)


def test_between_sparse_and_dense_dropout_falls() -> None:
    shares = [size(CPU, events * 1_000, 1_000).id_dropout for events in (20, 40, 63, 100, 200)]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == len(shares)


@pytest.mark.parametrize(("n_events", "epochs"), [(10_000, 6), (500_000, 4), (1_000_000, 2), (50_000_000, 1)])
def test_the_text_block_reads_about_as_many_events_whatever_the_data(n_events: int, epochs: int) -> None:
    recipe = dataclasses.replace(CPU, text_epochs=6, text_events=2_000_000)
    assert size(recipe, n_events, 1_000).text_epochs == epochs


def test_data_without_events_have_sizes_too() -> None:
    assert size(CPU, 0, 0).text_epochs == CPU.text_epochs
