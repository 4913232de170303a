import numpy as np
import pytest
from hand_made import dataset_of, split_of

from app.offline.spectral import count_neighbours, spectral_vectors

TWO_CIRCLES = dataset_of(
    {
        **{f"u{n}": [(item, place) for place, item in enumerate("abcabcabc")] for n in range(3)},
        **{f"v{n}": [(item, place) for place, item in enumerate("defdefdef")] for n in range(3)},
    }
)


def test_neighbours_count_one_over_their_distance_whoever_comes_first() -> None:
    data = dataset_of({"u0": [("a", 0), ("b", 1), ("c", 2)], "u1": [("b", 0), ("a", 1)]})
    counts = count_neighbours(data, split_of(data, test=[]), window=2).toarray()
    assert counts[0, 1] == counts[1, 0] == 2.0  # a b by one user, b a by the other
    assert counts[1, 2] == counts[2, 1] == 1.0
    assert counts[0, 2] == counts[2, 0] == 0.5
    assert counts.sum() == 2 * 3.5


def test_what_is_held_out_and_what_was_refused_is_no_neighbour() -> None:
    data = dataset_of({"u0": [("a", 0), ("b", 1, -1.0), ("c", 2), ("d", 3)]})
    counts = count_neighbours(data, split_of(data, test=[3]), window=1).toarray()
    assert np.argwhere(counts).tolist() == [[0, 2], [2, 0]]  # a and c, the refusal between them left out


def test_users_are_not_each_others_neighbours() -> None:
    data = dataset_of({"u0": [("a", 0)], "u1": [("b", 0)]})
    assert count_neighbours(data, split_of(data, test=[]), window=3).nnz == 0


def test_items_of_one_circle_are_alike_and_of_two_are_not() -> None:
    vectors = spectral_vectors(TWO_CIRCLES, split_of(TWO_CIRCLES, test=[]), dim=4, window=3)
    known = vectors[:6] / np.linalg.norm(vectors[:6], axis=1, keepdims=True)
    likeness = known @ known.T
    assert likeness[:3, :3].min() > 0.9
    assert np.abs(likeness[:3, 3:]).max() < 0.1


def test_an_item_that_stands_beside_no_other_has_no_vector() -> None:
    vectors = spectral_vectors(TWO_CIRCLES, split_of(TWO_CIRCLES, test=[]), dim=4, window=3)
    assert vectors[:6].any(axis=1).all()
    assert np.abs(vectors[6:]).max() < 1e-6


@pytest.mark.parametrize("dim", [2, 7, 20])
def test_vectors_have_the_length_asked_for_also_in_a_small_catalogue(dim: int) -> None:
    vectors = spectral_vectors(TWO_CIRCLES, split_of(TWO_CIRCLES, test=[]), dim=dim, window=2)
    assert vectors.shape == (8, dim)
    assert np.isfinite(vectors).all()


def test_the_same_data_give_the_same_vectors() -> None:
    split = split_of(TWO_CIRCLES, test=[])
    one, other = (spectral_vectors(TWO_CIRCLES, split, dim=4, window=3) for _ in range(2))
    assert np.array_equal(one, other)


def test_data_without_any_pair_give_no_vector() -> None:
    data = dataset_of({"u0": [("a", 0)], "u1": [("b", 0)]})
    assert not spectral_vectors(data, split_of(data, test=[]), dim=3, window=2).any()
