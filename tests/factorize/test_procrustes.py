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


def test_several_turned_spaces_come_together():
    space = RNG.normal(size=(40, 6))
    spaces = [jnp.float32(space @ turned(6)) for _ in range(3)]
    maps = generalized(spaces)
    mapped = [np.asarray(one @ turn) for one, turn in zip(spaces, maps, strict=True)]
    for one in mapped[1:]:
        np.testing.assert_allclose(one, mapped[0], atol=1e-4)
    for turn in maps:
        np.testing.assert_allclose(turn.T @ turn, np.eye(6), atol=1e-5)


def test_more_rounds_bring_noisy_spaces_nearer_to_their_mean():
    space = RNG.normal(size=(40, 6))
    spaces = [jnp.float32((space + RNG.normal(size=(40, 6))) @ turned(6)) for _ in range(4)]

    def spread(rounds):
        maps = generalized(spaces, iterations=rounds)
        mapped = np.stack([one @ turn for one, turn in zip(spaces, maps, strict=True)])
        return np.square(mapped - mapped.mean(axis=0)).sum()

    assert spread(5) < spread(1)
