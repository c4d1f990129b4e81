import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import decomposition

from jaxemb.factorize import pca

N, D = 400, 60


def stretched(points, dim):
    """Points whose spread along a few directions is far greater than along the others."""
    rng = np.random.default_rng(3)
    mixed = rng.normal(size=(points, dim)) * 1.5 ** -np.arange(dim) @ rng.normal(size=(dim, dim))
    return (mixed + 5 * rng.normal(size=dim)).astype(np.float32)


def agree(fitted, x, components, *, atol):
    theirs = decomposition.PCA(components, svd_solver="full").fit(x.astype(np.float64))
    size = np.abs(x).max()
    np.testing.assert_allclose(fitted.mean, theirs.mean_, atol=1e-6 * size)
    # scikit-learn fixes signs by the same rule, except in releases before 1.5.
    scores = pca.transform(fitted, jnp.asarray(x))
    np.testing.assert_allclose(scores, theirs.transform(x), atol=atol * size)
    np.testing.assert_allclose(
        fitted.explained_variance_ratio, theirs.explained_variance_ratio_, atol=1e-5
    )
    widest = theirs.explained_variance_[0]
    np.testing.assert_allclose(
        fitted.explained_variance, theirs.explained_variance_, atol=1e-5 * widest
    )
    product = np.asarray(fitted.directions).T @ np.asarray(fitted.directions)
    np.testing.assert_allclose(product, np.eye(components), atol=1e-5)


@pytest.mark.parametrize(
    ("points", "dim", "components"),
    # The last takes several blocks and a shorter one.
    [(40, 6, 2), (40, 6, 6), (4, 7, 2), (30, 90, 8), (20_000, 130, 2)],
)
def test_exact_agrees_with_scikit_learn(points, dim, components):
    x = stretched(points, dim)
    fitted = pca.fit(jnp.asarray(x), components=components)
    # float32 and the squaring of the points leave four digits of the smallest component.
    agree(fitted, x, components, atol=2e-4)


@pytest.mark.parametrize("shape", [(N, D), (D, N), (40_000, D)])
def test_randomized_agrees_with_scikit_learn(shape):
    x = stretched(*shape)
    fitted = pca.fit_randomized(jax.random.key(0), jnp.asarray(x), components=5)
    # The sixth to fifteenth are carried along; past them the spread is 1.5^-11 of the fifth's.
    agree(fitted, x, 5, atol=2e-4)


def test_power_iterations_find_what_one_misses():
    rng = np.random.default_rng(0)
    # A slowly falling spectrum, for which random directions alone do badly.
    x = jnp.asarray(rng.normal(size=(N, D)) * np.geomspace(3, 1, D), jnp.float32)
    exact = pca.fit(x, components=5)
    errors = []
    for options in ({"power_iterations": 1}, {}):
        found = pca.fit_randomized(jax.random.key(1), x, components=5, **options)
        cosines = np.linalg.svd(exact.directions.T @ found.directions, compute_uv=False)
        errors.append(1 - cosines.min())
    assert errors[1] < 0.02 < 0.2 < errors[0]


def test_randomized_depends_on_nothing_but_its_key():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(N, D)), jnp.float32)
    runs = [pca.fit_randomized(jax.random.key(key), x, components=5) for key in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0].directions, runs[1].directions)
    assert np.any(runs[0].directions != runs[2].directions)


@pytest.mark.parametrize("whiten", [False, True])
def test_new_points_are_projected_and_come_back(whiten):
    x = stretched(40, 6)
    new = stretched(13, 6) + np.float32(0.5)
    theirs = decomposition.PCA(2, whiten=whiten, svd_solver="full").fit(x.astype(np.float64))
    fitted = pca.fit(jnp.asarray(x), components=2)
    scores = pca.transform(fitted, jnp.asarray(new), whiten=whiten)
    np.testing.assert_allclose(scores, theirs.transform(new), rtol=1e-3, atol=1e-3)
    back = pca.inverse(fitted, scores, whiten=whiten)
    expected = theirs.inverse_transform(theirs.transform(new))
    np.testing.assert_allclose(back, expected, atol=1e-4 * np.abs(x).max())


def test_all_components_give_the_points_back():
    x = stretched(40, 6)
    fitted = pca.fit(jnp.asarray(x), components=6)
    back = pca.inverse(fitted, pca.transform(fitted, jnp.asarray(x)))
    np.testing.assert_allclose(back, x, atol=1e-5 * np.abs(x).max())


def test_whitened_points_have_the_identity_as_covariance():
    x = stretched(40, 6)
    fitted = pca.fit(jnp.asarray(x), components=6)
    white = pca.transform(fitted, jnp.asarray(x), whiten=True)
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.eye(6), atol=5e-3)


def test_signs_do_not_depend_on_the_order_of_the_points():
    x = stretched(40, 6)
    order = np.random.default_rng(0).permutation(40)
    one = pca.fit(jnp.asarray(x), components=2)
    other = pca.fit(jnp.asarray(x[order]), components=2)
    np.testing.assert_allclose(one.directions, other.directions, atol=1e-4)
    largest = np.abs(one.directions).argmax(axis=0)
    assert (np.asarray(one.directions)[largest, range(2)] > 0).all()


@pytest.mark.parametrize("size", [1e-20, 1e20, 1e30])
def test_size_does_not_matter(size):
    x = stretched(40, 6) / np.float32(8)
    expected = pca.fit(jnp.asarray(x), components=2)
    found = pca.fit(jnp.asarray(x * np.float32(size)), components=2)
    np.testing.assert_allclose(found.directions, expected.directions, atol=1e-4)
    np.testing.assert_allclose(found.deviation / size, expected.deviation, rtol=1e-4)
    np.testing.assert_allclose(
        found.explained_variance_ratio, expected.explained_variance_ratio, rtol=1e-4
    )


def test_an_offset_costs_few_digits():
    x = np.random.default_rng(0).normal(size=(2000, 4)) * [3, 2, 1, 0.5]
    shifted = (x + 4096).astype(np.float32)
    exact = decomposition.PCA(4).fit(shifted.astype(np.float64))
    fitted = pca.fit(jnp.asarray(shifted), components=4)
    np.testing.assert_allclose(fitted.deviation, np.sqrt(exact.explained_variance_), rtol=1e-4)


@pytest.mark.parametrize("shape", [(30, 8), (6, 20)])
def test_directions_without_extent_are_orthonormal_and_whiten_to_zero(shape):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1]))
    x[:, 0] = 0.1  # a constant column
    points = jnp.asarray(x, jnp.float32)
    fitted = pca.fit(points, components=5)
    np.testing.assert_array_equal(np.asarray(fitted.deviation) > 0, [True] * 2 + [False] * 3)
    np.testing.assert_allclose(fitted.directions.T @ fitted.directions, np.eye(5), atol=1e-5)
    white = pca.transform(fitted, points, whiten=True)
    assert not np.any(white[:, 2:])
    assert np.isfinite(white).all()


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_equal_points_lie_at_zero(shape):
    points = jnp.full(shape, 0.7)
    for fitted in (
        pca.fit(points, components=2),
        pca.fit_randomized(jax.random.key(0), points, components=2),
    ):
        np.testing.assert_array_equal(fitted.explained_variance_ratio, 0)
        for whiten in (False, True):
            np.testing.assert_array_equal(pca.transform(fitted, points, whiten=whiten), 0)


def test_one_point_lies_at_zero():
    points = jnp.arange(3.0)[None]
    fitted = pca.fit(points, components=1)
    assert not np.any(pca.transform(fitted, points))
    assert not np.any(fitted.explained_variance_ratio)


def test_no_copy_of_the_points_is_made():
    points = jax.ShapeDtypeStruct((4_000_000, 50), jnp.float32)
    fitted = jax.eval_shape(lambda points: pca.fit(points, components=3), points)
    for lowered in (
        pca.fit.lower(points, components=3),
        pca.fit_randomized.lower(jax.random.key(0), points, components=3),
        pca.transform.lower(fitted, points),
    ):
        # The points are 800 MB; a few blocks of them, and the scores that are copied once, 48.
        assert lowered.compile().memory_analysis().temp_size_in_bytes < 1e8


@pytest.mark.parametrize(("shape", "components"), [((5, 3), 4), ((2, 3), 3), ((5, 3), 0)])
def test_too_many_or_no_components_are_refused(shape, components):
    with pytest.raises(AssertionError, match=f"{components} components"):
        pca.fit(jnp.ones(shape), components=components)
    with pytest.raises(AssertionError, match=f"{components} components"):
        pca.fit_randomized(jax.random.key(0), jnp.ones(shape), components=components)


def test_shapes_are_checked():
    fitted = pca.fit(jnp.eye(3), components=2)
    with pytest.raises(AssertionError):
        pca.transform(fitted, jnp.ones((4, 2)))
    with pytest.raises(AssertionError):
        pca.inverse(fitted, jnp.ones((4, 3)))
