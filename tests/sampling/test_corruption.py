import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.sampling.corruption import corrupt

POINTS = jnp.asarray(np.random.default_rng(0).normal(size=(200, 50)) + 2, jnp.float32)


@pytest.mark.parametrize("kind", ["gaussian", "masking"])
def test_a_key_gives_one_corruption(kind):
    one, again, other = (
        corrupt(jax.random.key(key), POINTS, amount=0.3, kind=kind) for key in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert np.any(one != other)
    np.testing.assert_array_equal(corrupt(jax.random.key(0), POINTS, amount=0.0, kind=kind), POINTS)


def test_gaussian_noise_has_its_deviation():
    noise = corrupt(jax.random.key(0), POINTS, amount=0.3, kind="gaussian") - POINTS
    # Of 10,000 numbers: .3 / sqrt(20,000) is .002.
    np.testing.assert_allclose(noise.std(), 0.3, atol=0.01)
    np.testing.assert_allclose(noise.mean(), 0, atol=0.015)


def test_masking_sets_its_share_to_zero_and_leaves_the_rest():
    found = corrupt(jax.random.key(0), POINTS, amount=0.3, kind="masking")
    np.testing.assert_allclose((found == 0).mean(), 0.3, atol=0.02)
    np.testing.assert_array_equal(np.asarray(found)[found != 0], np.asarray(POINTS)[found != 0])


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="no kind of corruption is named 'salt'"):
        corrupt(jax.random.key(0), POINTS, amount=0.3, kind="salt")
