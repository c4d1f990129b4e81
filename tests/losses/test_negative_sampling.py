import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.negative_sampling import negative_sampling_loss

K, D = 3, 4
# Operation by operation, each would be compiled.
of_pairs = jax.jit(negative_sampling_loss)


def log_sigmoid(x):
    return -np.log1p(np.exp(-x)) if x > 0 else x - np.log1p(np.exp(x))


def paper_loss(center, context, noise):
    """Equation 4 of Mikolov et al. 2013 for one pair, in float64, sign flipped."""
    loss = -log_sigmoid(float(np.dot(center, context)))
    for word in noise:
        loss -= log_sigmoid(-float(np.dot(center, word)))
    return loss


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(7, D)), rng.normal(size=(7, D)), rng.normal(size=(7, K, D))


def float32(arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


def test_each_pair_has_the_papers_loss(batch):
    expected = [paper_loss(*pair) for pair in zip(*batch, strict=True)]
    np.testing.assert_allclose(of_pairs(*float32(batch)), expected, rtol=1e-5)


def test_one_pair_alone_has_its_loss_in_the_batch(batch):
    whole = np.asarray(of_pairs(*float32(batch)))
    for i in range(7):
        alone = of_pairs(*float32(array[i : i + 1] for array in batch))
        np.testing.assert_allclose(alone, whole[i : i + 1], rtol=1e-6)


def test_masked_noise_is_dropped(batch):
    center, context, noise = float32(batch)
    where = np.random.default_rng(1).random((7, K)) < 0.5
    masked = np.asarray(of_pairs(center, context, noise, where=where))
    for i in range(7):
        kept = [batch[2][i, k] for k in range(K) if where[i, k]]
        np.testing.assert_allclose(masked[i], paper_loss(batch[0][i], batch[1][i], kept), rtol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1.0, 1e4, 1e18])
def test_loss_and_gradient_are_finite(size):
    center, noise = float32([np.full((2, D), size), np.full((2, K, D), size)])

    def total(center, context, noise):
        return negative_sampling_loss(center, context, noise).sum()

    loss, gradient = jax.jit(jax.value_and_grad(total))(center, -center, noise)
    if size < 1e10:  # the product of two larger ones is no float32
        assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        negative_sampling_loss(jnp.zeros((2, 3)), jnp.zeros((2, 4)), jnp.zeros((2, 5, 3)))
