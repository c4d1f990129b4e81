import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge

from jaxemb.factorize import kernel_ridge

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 3)).astype(np.float32)
VALUES = np.stack([np.sin(POINTS[:, 0]), POINTS[:, 1] * POINTS[:, 2]], axis=1)
NEW = RNG.normal(size=(9, 3)).astype(np.float32)


def test_it_is_that_of_scikit_learn_around_the_mean():
    mean = VALUES.mean(axis=0)
    theirs = KernelRidge(alpha=0.1, kernel="rbf", gamma=0.7).fit(POINTS, VALUES - mean)
    ours = kernel_ridge.fit(jnp.asarray(POINTS), jnp.asarray(VALUES), sharpness=0.7, penalty=0.1)
    found = kernel_ridge.predict(ours, jnp.asarray(NEW))
    np.testing.assert_allclose(found, theirs.predict(NEW) + mean, atol=2e-5)


def test_a_small_penalty_goes_through_the_points_a_large_one_stays_at_the_mean():
    near, flat = (
        kernel_ridge.predict(
            kernel_ridge.fit(POINTS, VALUES, sharpness=1.0, penalty=penalty), POINTS
        )
        for penalty in (1e-4, 1e6)
    )
    np.testing.assert_allclose(near, VALUES, atol=0.01)
    np.testing.assert_allclose(flat, np.tile(VALUES.mean(axis=0), (60, 1)), atol=1e-3)


def test_points_that_coincide_get_the_mean_of_their_values():
    points = np.zeros((4, 2), np.float32)
    fitted = kernel_ridge.fit(points, np.arange(4.0)[:, None], sharpness=1.0, penalty=0.01)
    found = kernel_ridge.predict(fitted, points)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, 1.5, atol=0.01)


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        jax.eval_shape(kernel_ridge.fit, POINTS, VALUES[:5], sharpness=1.0, penalty=1.0)
