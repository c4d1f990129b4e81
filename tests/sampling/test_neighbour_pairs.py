import jax
import numpy as np
import pytest

from jaxemb.sampling.neighbour_pairs import neighbour_pairs

NEIGHBOURS = np.array([[1, 2, 3], [4, 3, 0], [0, 1, 4], [2, 4, 1], [3, 0, 2]])
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [1.0, 0, 0], [0.5, 0.25, 0.25], [0, 0.4, 0.6]])


def test_pairs_are_drawn_as_asked():
    batches = neighbour_pairs(jax.random.key(0), NEIGHBOURS, P, size=5)
    rows, found = batches(0, 4000)
    assert (np.sort(rows, axis=1) == np.arange(5)).all()
    for point in range(5):
        near = found[rows == point]
        for place in range(3):
            share = (near == NEIGHBOURS[point, place]).mean()
            # Five standard errors of a share of 4,000 draws.
            slack = 5 * np.sqrt(P[point, place] * (1 - P[point, place]) / 4000)
            assert abs(share - P[point, place]) <= slack


def test_a_step_is_the_same_however_it_is_reached():
    first, other = (neighbour_pairs(jax.random.key(1), NEIGHBOURS, P, size=2) for _ in range(2))
    whole = first(0, 9)
    cut = other(4, 9)
    for one, two in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(one[4:], two)
    assert (neighbour_pairs(jax.random.key(2), NEIGHBOURS, P, size=2)(0, 9)[0] != whole[0]).any()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        neighbour_pairs(jax.random.key(0), NEIGHBOURS, P[:, :2], size=2)
