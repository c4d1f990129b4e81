import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses import distances

B, N, M = 7, 5, 6


def loop(name, x, y):
    """A distance of two vectors, coordinate by coordinate in float64."""
    total, dot, xx, yy = 0.0, 0.0, 0.0, 0.0
    for a, b in zip(map(float, x), map(float, y), strict=True):
        total += abs(a - b) if name == "l1" else (a - b) ** 2
        dot, xx, yy = dot + a * b, xx + a * a, yy + b * b
    if name == "cosine":
        return 1 - dot / (xx * yy) ** 0.5
    return total**0.5 if name == "euclidean" else total


NAMES = ["squared_euclidean", "euclidean", "cosine", "l1"]


@functools.cache
def both(name):
    """Distances of rows and of pairs, compiled once for all tests."""
    return tuple(jax.jit(getattr(distances, form)) for form in (name, f"pairwise_{name}"))


@functools.cache
def slopes(name):
    """Their sums and the gradients of these with respect to the first vectors."""
    forms = both(name)
    return [jax.jit(jax.value_and_grad(lambda x, y, of=of: of(x, y).sum())) for of in forms]


def draw(rows, dim, seed):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(rows, dim)) + rng.normal(size=dim)).astype(np.float32)


@pytest.mark.parametrize("dim", [3, 20])
@pytest.mark.parametrize("name", NAMES)
def test_each_is_the_loops(name, dim):
    of_rows, of_pairs = both(name)
    x, y = draw(B, dim, 0), draw(B, dim, 1)
    expected = [loop(name, a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(of_rows(jnp.asarray(x), jnp.asarray(y)), expected, rtol=1e-5)
    x, y = draw(N, dim, 2), draw(M, dim, 3)
    expected = [[loop(name, a, b) for b in y] for a in x]
    np.testing.assert_allclose(of_pairs(jnp.asarray(x), jnp.asarray(y)), expected, rtol=1e-5)


@pytest.mark.parametrize("dim", [3, 20])
@pytest.mark.parametrize("name", NAMES)
def test_both_forms_have_the_same_gradient(name, dim):
    of_rows, of_pairs = both(name)
    x, y = jnp.asarray(draw(N, dim, 4)), jnp.asarray(draw(M, dim, 5))
    weight = jnp.asarray(draw(N, M, 6))

    def by_rows(x, y):
        i, j = np.divmod(np.arange(N * M), M)
        return jnp.sum(weight.reshape(-1) * of_rows(x[i], y[j]))

    def by_pairs(x, y):
        return jnp.sum(weight * of_pairs(x, y))

    expected = jax.jit(jax.grad(by_rows, (0, 1)))(x, y)
    found = jax.jit(jax.grad(by_pairs, (0, 1)))(x, y)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


# Squares of the largest are no float32 numbers.
SIZES = [(name, size) for name in NAMES for size in (0.0, 1e-30, 1.0, 1e17, 1e30)]


@pytest.mark.parametrize("dim", [3, 20])
@pytest.mark.parametrize(
    ("name", "size"), [case for case in SIZES if case != ("squared_euclidean", 1e30)]
)
def test_gradients_are_finite_for_equal_zero_and_huge_vectors(name, size, dim):
    x = draw(N, dim, 7) * np.float32(size)
    x[0] = 0
    for slope in slopes(name):
        for y in (x, -x):
            value, gradient = slope(x, y)
            assert np.isfinite(gradient).all()
            assert np.isfinite(value)


@pytest.mark.parametrize("name", ["squared_euclidean", "euclidean", "l1"])
def test_equal_points_have_distance_and_gradient_zero(name):
    x = jnp.asarray(draw(N, 3, 8))
    of_rows, of_pairs = both(name)
    assert not np.any(of_rows(x, x))
    assert not np.any(slopes(name)[0](x, x)[1])
    assert not np.any(np.diag(of_pairs(x, x)))


def test_wide_points_far_from_the_origin_keep_their_distances():
    x = draw(N, 30, 9) + 1000
    found = both("euclidean")[1](x, x)
    expected = [[loop("euclidean", a, b) for b in x] for a in x]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=0.02)


def test_zero_vectors_have_cosine_zero():
    x = np.float32([[0, 0, 0], [1, 1, 1]])
    of_rows, of_pairs = both("cosine")
    np.testing.assert_allclose(of_rows(x, np.ones_like(x)), [1, 0], atol=1e-6)
    np.testing.assert_allclose(of_pairs(x, x), [[1, 1], [1, 0]], atol=1e-6)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_norm(size):
    x = draw(B, 4, 10)
    expected = [loop("euclidean", row, 0 * row) * size for row in x]
    scaled = x * np.float32(size)
    np.testing.assert_allclose(jax.jit(distances.safe_norm)(scaled), expected, rtol=1e-5)
    keep = functools.partial(distances.safe_norm, keepdims=True)
    assert jax.eval_shape(keep, scaled).shape == (B, 1)
    slope = jax.jit(jax.grad(lambda x: distances.safe_norm(x).sum()))
    np.testing.assert_allclose(slope(scaled), jax.jit(distances.unit)(scaled), rtol=1e-5)
    assert not np.any(slope(scaled * 0))


@pytest.mark.parametrize("name", NAMES)
def test_shapes_are_checked(name):
    of_rows, of_pairs = both(name)
    with pytest.raises(AssertionError):
        of_rows(jnp.ones((3, 2)), jnp.ones((4, 2)))
    with pytest.raises(AssertionError):
        of_pairs(jnp.ones((3, 2)), jnp.ones((3, 4)))


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e30])
def test_unit_vectors_have_norm_one_or_zero(scale):
    vectors = np.random.default_rng(5).normal(size=(23, 4)).astype(np.float32)
    vectors[6] = 0
    found = np.asarray(distances.unit(jnp.asarray(vectors * np.float32(scale))))
    norms = np.linalg.norm(found.astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, np.arange(23) != 6, atol=1e-6)
    np.testing.assert_allclose(found, distances.unit(jnp.asarray(vectors)), atol=1e-6)


def test_gradient_of_unit_vectors():
    rng = np.random.default_rng(1)
    vectors, weights = (rng.normal(size=(9, 4)).astype(np.float32) for _ in range(2))
    vectors[6] = 0

    def total(v):
        return jnp.sum(distances.unit(v) * weights)

    gradient = np.asarray(jax.grad(total)(jnp.asarray(vectors)))
    for row, (x, w) in enumerate(zip(vectors.astype(np.float64), weights, strict=True)):
        norm = np.linalg.norm(x)
        expected = (w - (w @ x) * x / norm**2) / norm if norm > 0 else np.zeros(4)
        np.testing.assert_allclose(gradient[row], expected, rtol=1e-4, atol=1e-5)
