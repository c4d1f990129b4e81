import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation.collapse import check_spread, spread


def vectors(offset=0.0, scale=1.0):
    return jnp.asarray(
        scale * (np.random.default_rng(0).normal(size=(50, 4)) + offset), jnp.float32
    )


@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_spread_by_its_definition(offset):
    x = np.asarray(vectors(offset), np.float64)
    squares = sum(((row - x.mean(axis=0)) ** 2).sum() for row in x)
    expected = np.sqrt(squares / sum((row**2).sum() for row in x))
    assert spread(vectors(offset)) == pytest.approx(expected, rel=1e-5)
    for scale in (1e-25, 1e25):
        assert spread(vectors(offset, scale)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("point", [0.0, 0.37, 1e30])
def test_equal_vectors_have_none(point):
    assert jax.jit(spread)(jnp.full((9, 5), point)) < 1e-6


def test_collapse_is_named():
    near = float(spread(1 + 1e-5 * vectors()))
    with pytest.raises(
        InputError,
        match="the embedding has collapsed to a point at step 70: examples differ by 1e-05 of "
        "their length. Try a smaller learning rate, random or semi-hard triplets",
    ):
        check_spread(near, step=70)
    with pytest.raises(InputError, match="collapsed to a point: examples"):
        check_spread(0.0)
    check_spread(float(spread(vectors())))
    check_spread(float(spread(1 + 0.01 * vectors())))
