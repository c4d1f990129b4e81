import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.linalg

from jaxemb.factorize.spectral_contrastive import spectral_contrastive

RNG = np.random.default_rng(5)


def moments() -> tuple[np.ndarray, np.ndarray]:
    """Of two views that share some of what they show; total and shared, [6, 6]."""
    objects = RNG.normal(size=(4000, 6)) * np.array([3, 2.5, 2, 1, 0.5, 0.2])
    views = np.stack([objects + RNG.normal(size=objects.shape) for _ in range(2)])
    views = views @ RNG.normal(size=(6, 6))
    total = np.einsum("vni,vnj->ij", views, views) / (2 * len(objects))
    both = views.mean(axis=0)
    return total, both.T @ both / len(both)


def test_as_the_generalized_eigenvectors_of_scipy():
    total, shared = moments()
    found = np.asarray(spectral_contrastive(total, shared, components=3, ridge=1e-3), np.float64)
    regular = total + 1e-3 * np.trace(total) / 6 * np.eye(6)
    expected = scipy.linalg.eigh(shared, regular)[1][:, ::-1][:, :3]
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(found.T @ regular @ found, np.eye(3), atol=1e-4)


def test_no_descent_of_the_loss_gets_lower():
    total, shared = (jnp.asarray(one, jnp.float32) for one in moments())

    def loss(directions: jax.Array) -> jax.Array:
        """E[(f(x) . f(y))^2] - 2 E[f(x) . f(x')] of f(x) = directions' x, by its moments."""
        seen = directions.T @ total @ directions
        return jnp.trace(seen @ seen) - 2 * jnp.trace(directions.T @ shared @ directions)

    found = spectral_contrastive(total, shared, components=2, ridge=1e-6)
    agreement = jnp.diag(found.T @ shared @ found)
    closed = found * jnp.sqrt(agreement)[None, :]
    np.testing.assert_allclose(jax.grad(loss)(closed), 0, atol=2e-2)
    step = optax.adam(0.01)
    tried = jnp.asarray(RNG.normal(size=(6, 2)), jnp.float32) * 0.1

    def once(state, _):
        tried, inner = state
        change, inner = step.update(jax.grad(loss)(tried), inner)
        return (optax.apply_updates(tried, change), inner), None

    tried = jax.lax.scan(once, (tried, step.init(tried)), length=20_000)[0][0]
    assert float(loss(closed)) == pytest.approx(float(loss(tried)), rel=1e-3)
    assert float(loss(closed)) <= float(loss(tried)) + 1e-4


def test_refuses_more_components_than_there_are():
    with pytest.raises(AssertionError, match="3 components of 2"):
        spectral_contrastive(jnp.eye(2), jnp.eye(2), components=3, ridge=0.1)
