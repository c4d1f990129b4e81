import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses import full_softmax

# Operation by operation, each would be compiled.
full_softmax_loss = jax.jit(full_softmax.full_softmax_loss)
B, V, D = 5, 11, 4


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(B, D)), rng.normal(size=(V, D)), rng.integers(0, V, B)


def arrays(center, outputs, context):
    return jnp.asarray(center, jnp.float32), jnp.asarray(outputs, jnp.float32), jnp.asarray(context)


def paper_loss(center, outputs, context):
    """Equation 2 of Mikolov et al. 2013 for one pair, in float64: -log p(context | center)."""
    total = 0.0
    for word in range(len(outputs)):
        total += np.exp(np.dot(outputs[word], center))
    return -np.log(np.exp(np.dot(outputs[context], center)) / total)


def test_each_pair_has_the_papers_loss(batch):
    center, outputs, context = batch
    expected = [paper_loss(center[i], outputs, context[i]) for i in range(B)]
    np.testing.assert_allclose(full_softmax_loss(*arrays(*batch)), expected, rtol=1e-5)


def test_one_pair_alone_has_its_loss_in_the_batch(batch):
    center, outputs, context = map(np.asarray, arrays(*batch))
    whole = np.asarray(full_softmax_loss(center, outputs, context))
    for i in range(B):
        alone = full_softmax_loss(center[i : i + 1], outputs, context[i : i + 1])
        np.testing.assert_allclose(alone, whole[i : i + 1], rtol=1e-6)


def test_probabilities_of_all_words_sum_to_one(batch):
    center, outputs, _ = arrays(*batch)
    loss = full_softmax_loss(jnp.repeat(center, V, 0), outputs, jnp.tile(jnp.arange(V), B))
    np.testing.assert_allclose(np.exp(-loss).reshape(B, V).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1.0, 1e4, 1e15])
def test_loss_and_gradients_are_finite(size):
    center = jnp.full((2, D), size)
    outputs = jnp.full((V, D), size).at[3].set(-size)
    loss, gradients = jax.value_and_grad(
        lambda c, o: full_softmax_loss(c, o, jnp.array([3, 4])).sum(), (0, 1)
    )(center, outputs)
    assert np.isfinite(loss)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        full_softmax_loss(jnp.zeros((2, 3)), jnp.zeros((5, 4)), jnp.zeros(2, int))
    with pytest.raises(AssertionError):
        full_softmax_loss(jnp.zeros((2, 3)), jnp.zeros((5, 3)), jnp.zeros(3, int))
