import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.models.one_hot import one_hot


def test_part_of_the_identity():
    ids, axes = np.array([4, 0, 4]), np.array([0, 6, 4, 2])
    found = one_hot(jnp.asarray(ids), jnp.asarray(axes))
    np.testing.assert_array_equal(found, np.eye(7)[ids][:, axes])
    assert found.dtype == jnp.float32


def test_products_with_words_of_the_axes_are_those_of_whole_vectors():
    axes = jnp.array([5, 1, 3])
    found = one_hot(jnp.arange(7), axes) @ one_hot(axes, axes).T
    np.testing.assert_array_equal(found, np.eye(7)[:, [5, 1, 3]])


def test_other_shapes_are_refused():
    with pytest.raises(AssertionError):
        one_hot(jnp.zeros((2, 2), int), jnp.arange(2))
