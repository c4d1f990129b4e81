import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.projections import row_blocks
from jaxemb.projections.row_blocks import map_rows


@pytest.mark.parametrize("at_a_time", [1, 12, 30, 1000])
def test_blocks_give_what_the_whole_gives(at_a_time, monkeypatch):
    monkeypatch.setattr(row_blocks, "_AT_A_TIME", at_a_time)
    rng = np.random.default_rng(0)
    x, y = (jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((7, 2), (7, 4)))

    def function(x, y):
        return x.sum(axis=1), x[:, :1] * y

    found = jax.jit(lambda x, y: map_rows(function, x, y))(x, y)
    for one, other in zip(found, function(x, y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
