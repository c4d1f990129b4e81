import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.decomposition import PCA

from jaxemb.factorize.pca import pca


def _stretched(points: int, dim: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    mixed = rng.normal(size=(points, dim)) * 2.0 ** -np.arange(dim) @ rng.normal(size=(dim, dim))
    return (mixed + 5 * rng.normal(size=dim)).astype(np.float32)


@pytest.mark.parametrize(("points", "dim", "components"), [(40, 6, 2), (40, 6, 6), (4, 7, 2)])
def test_agrees_with_scikit_learn(points, dim, components):
    x = _stretched(points, dim)
    keep = min(components, points)
    theirs = PCA(keep, svd_solver="full").fit(x.astype(np.float64))
    scores, ratio = pca(jnp.asarray(x), components=components)
    assert scores.shape == (points, components)
    # scikit-learn fixes signs by the same rule, except in releases before 1.5.
    # float32 and the squaring of the scatter matrix leave four digits of the smallest component.
    np.testing.assert_allclose(scores, theirs.transform(x), atol=2e-4 * np.abs(x).max())
    np.testing.assert_allclose(ratio, theirs.explained_variance_ratio_, atol=1e-5)


def test_signs_do_not_depend_on_the_order_of_the_points():
    x = _stretched(30, 5)
    order = np.random.default_rng(0).permutation(30)
    one, _ = pca(jnp.asarray(x), components=2)
    other, _ = pca(jnp.asarray(x[order]), components=2)
    np.testing.assert_allclose(one[order], other, atol=1e-4)


def test_equal_points_lie_at_zero():
    scores, ratio = pca(jnp.full((5, 3), 7.0), components=2)
    np.testing.assert_array_equal(scores, 0)
    np.testing.assert_array_equal(ratio, 0)


def test_one_point_lies_at_zero():
    scores, ratio = pca(jnp.arange(3.0)[None], components=2)
    assert not np.any(scores)
    assert not np.any(ratio)


def test_too_many_components_are_refused():
    with pytest.raises(AssertionError, match="4 components"):
        pca(jax.numpy.ones((5, 3)), components=4)
