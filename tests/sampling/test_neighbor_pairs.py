import jax
import numpy as np
import pytest

from jaxemb.sampling.neighbor_pairs import neighbor_pairs

NEIGHBORS = np.array([[1, 2, 3], [4, 3, 0], [0, 1, 4], [2, 4, 1], [3, 0, 2]])
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [1.0, 0, 0], [0.5, 0.25, 0.25], [0, 0.4, 0.6]])


def test_pairs_are_drawn_as_asked():
    batches = neighbor_pairs(jax.random.key(0), NEIGHBORS, P, size=5)
    rows, found = batches(0, 4000)
    assert (np.sort(rows, axis=1) == np.arange(5)).all()
    for point in range(5):
        near = found[rows == point]
        for place in range(3):
            share = (near == NEIGHBORS[point, place]).mean()
            # Five standard errors of a share of 4,000 draws.
            slack = 5 * np.sqrt(P[point, place] * (1 - P[point, place]) / 4000)
            assert abs(share - P[point, place]) <= slack


def test_a_step_is_the_same_however_it_is_reached():
    first, other = (neighbor_pairs(jax.random.key(1), NEIGHBORS, P, size=2) for _ in range(2))
    whole = first(0, 9)
    cut = other(4, 9)
    for one, two in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(one[4:], two)
    assert (neighbor_pairs(jax.random.key(2), NEIGHBORS, P, size=2)(0, 9)[0] != whole[0]).any()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        neighbor_pairs(jax.random.key(0), NEIGHBORS, P[:, :2], size=2)
