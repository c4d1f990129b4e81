import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.reconstruction import reconstruction_loss


def test_each_point_has_the_papers_loss():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    expected = [
        sum((a - b) ** 2 for a, b in zip(*row, strict=True)) for row in zip(x, y, strict=True)
    ]
    found = reconstruction_loss(jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1e17])
def test_gradient_is_finite(size):
    x = jnp.full((2, 3), size)
    assert np.isfinite(jax.grad(lambda x: reconstruction_loss(x, -x).sum())(x)).all()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        reconstruction_loss(jnp.ones((3, 2)), jnp.ones((3, 1)))
