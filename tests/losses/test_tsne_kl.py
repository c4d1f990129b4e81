import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses import tsne_kl as losses

# Operation by operation, each would be compiled.
tsne_kl, tsne_kl_gradient = map(jax.jit, (losses.tsne_kl, losses.tsne_kl_gradient))


def made(dim=2, points=9, seed=0):
    rng = np.random.default_rng(seed)
    joint = rng.uniform(size=(points, points)) ** 3
    joint[2, 5] = joint[5, 2] = 0
    joint = joint + joint.T
    np.fill_diagonal(joint, 0)
    return rng.normal(size=(points, dim)) * 2, joint / joint.sum()


def loops(y, p):
    """KL and its gradient by the paper's equations 4 and 5, pair by pair in float64."""
    n = len(y)
    w = np.array([[1 / (1 + np.sum((y[i] - y[j]) ** 2)) for j in range(n)] for i in range(n)])
    z = sum(w[i, j] for i in range(n) for j in range(n) if i != j)
    kl, gradient = 0.0, np.zeros(y.shape)
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            q = w[i, j] / z
            if p[i, j] > 0:
                kl += p[i, j] * np.log(p[i, j] / q)
            gradient[i] += 4 * (p[i, j] - q) * w[i, j] * (y[i] - y[j])
    return kl, gradient


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_loss_and_gradient_are_the_papers(dim):
    y, p = made(dim)
    points, joint = jnp.asarray(y, jnp.float32), jnp.asarray(p, jnp.float32)
    kl, gradient = loops(y, p)
    np.testing.assert_allclose(tsne_kl(points, joint), kl, rtol=1e-5)
    np.testing.assert_allclose(tsne_kl_gradient(points, joint), gradient, rtol=1e-4, atol=1e-6)


def test_the_written_gradient_is_the_traced_one():
    y, p = made(seed=1)
    points, joint = jnp.asarray(y, jnp.float32), jnp.asarray(p, jnp.float32)
    traced = jax.grad(tsne_kl)(points, joint)
    np.testing.assert_allclose(tsne_kl_gradient(points, joint), traced, rtol=1e-4, atol=1e-6)


def test_a_map_that_shows_all_has_no_divergence():
    y, _ = made(seed=2)
    points = jnp.asarray(y, jnp.float32)
    w = np.array([[1 / (1 + np.sum((a - b) ** 2)) for b in y] for a in y])
    np.fill_diagonal(w, 0)
    joint = jnp.asarray(w / w.sum(), jnp.float32)
    np.testing.assert_allclose(tsne_kl(points, joint), 0, atol=1e-6)
    np.testing.assert_allclose(tsne_kl_gradient(points, joint), 0, atol=1e-6)


def test_the_diagonal_is_ignored():
    y, p = made(seed=3)
    points, joint = jnp.asarray(y, jnp.float32), jnp.asarray(p, jnp.float32)
    filled = joint + jnp.eye(len(y))
    assert tsne_kl(points, filled) == tsne_kl(points, joint)


@pytest.mark.parametrize("size", [0.0, 1e-20, 1e8])
def test_loss_and_gradient_are_finite(size):
    y, p = made(seed=4)
    points, joint = jnp.asarray(size * y, jnp.float32), jnp.asarray(p, jnp.float32)
    assert np.isfinite(tsne_kl(points, joint))
    for gradient in (tsne_kl_gradient(points, joint), jax.grad(tsne_kl)(points, joint)):
        assert np.isfinite(gradient).all()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        tsne_kl(jnp.zeros((4, 2)), jnp.zeros((4, 5)))
    with pytest.raises(AssertionError):
        tsne_kl_gradient(jnp.zeros(4), jnp.zeros((4, 4)))
