import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.factorize.row_blocks import map_rows, sum_rows


@pytest.mark.parametrize("at_a_time", [1, 12, 30, 1000])
def test_blocks_give_what_the_whole_gives(at_a_time):
    rng = np.random.default_rng(0)
    x, y = (jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((7, 2), (7, 4)))

    def function(x, y):
        return x.sum(axis=1), x[:, :1] * y

    found = jax.jit(lambda x, y: map_rows(function, x, y, at_a_time=at_a_time))(x, y)
    for one, other in zip(found, function(x, y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("at_a_time", [1, 8, 14, 1000])
def test_sums_over_blocks_are_those_of_the_whole(at_a_time):
    x = jnp.asarray(np.random.default_rng(1).normal(size=(7, 4)), jnp.float32)

    def function(block):
        return block.T @ block, block.sum()

    found = jax.jit(lambda x: sum_rows(function, x, at_a_time=at_a_time))(x)
    for one, other in zip(found, function(x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
