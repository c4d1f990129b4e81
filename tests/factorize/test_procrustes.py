import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from jaxemb.factorize.procrustes import generalized, orthogonal

RNG = np.random.default_rng(5)


def turned(dim):
    return np.linalg.qr(RNG.normal(size=(dim, dim)))[0]


def test_the_map_is_that_of_scipy():
    source, target = RNG.normal(size=(30, 6)), RNG.normal(size=(30, 6))
    expected = orthogonal_procrustes(source, target)[0]
    found = orthogonal(jnp.float32(source), jnp.float32(target))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("widths", [(7, 4), (4, 7)])
def test_spaces_of_other_widths_get_an_orthonormal_side(widths):
    source, target = (jnp.float32(RNG.normal(size=(30, width))) for width in widths)
    found = np.asarray(orthogonal(source, target))
    small = found.T @ found if widths[0] > widths[1] else found @ found.T
    np.testing.assert_allclose(small, np.eye(4), atol=1e-5)


def test_no_other_turn_is_nearer():
    source, target = (jnp.float32(RNG.normal(size=(20, 5))) for _ in range(2))
    best = np.square(source @ orthogonal(source, target) - target).sum()
    for _ in range(20):
        assert best <= np.square(np.asarray(source) @ turned(5) - target).sum()


def linked(*places, count=40):
    return {pair: np.repeat(np.arange(count)[:, None], 2, axis=1) for pair in places}


@pytest.mark.parametrize(
    "links", [linked((0, 1), (1, 2), (2, 0)), linked((2, 1), (0, 2)), linked((0, 1), (0, 2))]
)
def test_several_turned_spaces_come_together(links):
    space = RNG.normal(size=(40, 6))
    spaces = [jnp.float32(space @ turned(6)) for _ in range(3)]
    maps = generalized(spaces, links)
    np.testing.assert_array_equal(maps[0], np.eye(6))
    mapped = [np.asarray(one @ turn) for one, turn in zip(spaces, maps, strict=True)]
    for one in mapped[1:]:
        np.testing.assert_allclose(one, mapped[0], atol=1e-4)
    for turn in maps:
        np.testing.assert_allclose(turn.T @ turn, np.eye(6), atol=1e-5)


def test_rows_that_are_linked_may_differ():
    space = RNG.normal(size=(50, 6))
    order = RNG.permutation(50)[:30]
    other = jnp.float32((space @ turned(6))[order])
    links = {(1, 0): np.stack([np.arange(30), order], axis=1)}
    maps = generalized([jnp.float32(space), other], links)
    np.testing.assert_allclose(other @ maps[1], space[order], atol=1e-4)


def test_more_rounds_bring_noisy_spaces_nearer_to_one_another():
    space = RNG.normal(size=(40, 6))
    spaces = [jnp.float32((space + RNG.normal(size=(40, 6))) @ turned(6)) for _ in range(4)]
    links = linked(*itertools.combinations(range(4), 2))

    def apart(rounds):
        maps = generalized(spaces, links, iterations=rounds)
        mapped = [np.asarray(one @ turn) for one, turn in zip(spaces, maps, strict=True)]
        return sum(np.square(mapped[i] - mapped[j]).sum() for i, j in links)

    # No more than rounding, once it is at the least.
    sums = [apart(rounds) for rounds in (1, 2, 5, 20, 40)]
    assert sums[1] < 0.999 * sums[0]
    assert all(after <= before * (1 + 1e-5) for before, after in zip(sums, sums[1:], strict=False))


def test_a_space_that_is_not_linked():
    spaces = [jnp.float32(RNG.normal(size=(40, 6))) for _ in range(3)]
    with pytest.raises(AssertionError, match="a space is not linked"):
        generalized(spaces, linked((0, 1)))
