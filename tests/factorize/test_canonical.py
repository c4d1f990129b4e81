import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import eigh

from jaxemb.factorize.canonical import canonical, weighted

RNG = np.random.default_rng(7)


def views(count=300):
    shared = RNG.normal(size=(count, 3)) * [2, 1, 0.5]
    source = np.hstack([shared, RNG.normal(size=(count, 3))]) @ RNG.normal(size=(6, 6))
    target = np.hstack([shared, RNG.normal(size=(count, 2))]) @ RNG.normal(size=(5, 5))
    return source - source.mean(axis=0), target - target.mean(axis=0)


@pytest.mark.parametrize("ridge", [1e-4, 0.3])
def test_correlations_are_those_of_the_eigenvalue_problem(ridge):
    source, target = views()
    x, z, across = source.T @ source, target.T @ target, source.T @ target
    x, z = (one + ridge * np.trace(one) / len(one) * np.eye(len(one)) for one in (x, z))
    squares = eigh(across @ np.linalg.inv(z) @ across.T, x)[0][::-1]
    expected = np.sqrt(np.maximum(squares[:5], 0))
    found = canonical(jnp.float32(source), jnp.float32(target), ridge=ridge)
    np.testing.assert_allclose(found.correlations, expected, atol=1e-4)
    # The mapped views are uncorrelated, but for what they share.
    mapped = [np.asarray(jnp.float32(source) @ found.source), target @ np.asarray(found.target)]
    np.testing.assert_allclose(
        mapped[0].T @ mapped[1] / len(source), np.diag(found.correlations), atol=1e-4
    )


def test_views_that_agree_in_three_directions_say_so():
    found = canonical(*(jnp.float32(view) for view in views(5000)), ridge=1e-6)
    # The ridge lessens those of small variance.
    assert (np.asarray(found.correlations[:3]) > 0.99).all()
    assert (np.asarray(found.correlations[3:]) < 0.06).all()


def test_a_power_weighs_both_sides():
    found = canonical(*(jnp.float32(view) for view in views()), ridge=0.1)
    for side, plain in zip(weighted(found, 0.5), (found.source, found.target), strict=True):
        np.testing.assert_allclose(side, np.asarray(plain) * np.sqrt(found.correlations), rtol=1e-5)
    np.testing.assert_array_equal(weighted(found, 0)[0], found.source)
