import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.sampled_softmax import sampled_softmax_gradients
from jaxemb.losses.sampled_softmax import sampled_softmax_loss

G, S, C, K, D = 2, 4, 5, 3, 6


def test_gradients_and_loss_are_those_of_the_formula():
    """Each pair against the noise words of its group; a pair may count several times."""
    rng = np.random.default_rng(0)
    hidden, outputs = (
        jnp.asarray(rng.normal(size=(G, size, D)), jnp.float32) for size in (S, C + K)
    )
    observed = rng.integers(0, 3, (G, C, S))
    scale = jnp.asarray(rng.uniform(1, 2, (G, C + K)), jnp.float32)

    def losses(hidden, outputs):
        center = jnp.repeat(hidden[:, None], C, 1).reshape(-1, D)
        context = jnp.repeat(outputs[:, :C, None], S, 2).reshape(-1, D)
        noise = jnp.repeat(outputs[:, None, C:], C * S, 1).reshape(-1, K, D)
        # Scores are already less the log of how often a word is expected.
        loss = sampled_softmax_loss(
            center,
            context,
            noise,
            context_expected=jnp.zeros(len(center)),
            noise_expected=jnp.zeros((len(center), K)),
        )
        return observed * loss.reshape(G, C, S)

    found = jax.jit(sampled_softmax_gradients)(hidden, outputs, np.float32(observed), scale)
    expected = jax.jit(jax.grad(lambda *a: losses(*a).sum(), (0, 1)))(hidden, outputs)
    np.testing.assert_allclose(found.hidden, expected[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.outputs, expected[1] * scale[..., None], rtol=1e-4, atol=1e-5)
    first = jax.jit(losses)(hidden, outputs)[:, :, 0]
    np.testing.assert_allclose(found.loss, first.sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(found.predictions, observed[:, :, 0].sum(axis=1))


def test_noise_words_are_needed():
    with pytest.raises(AssertionError):
        sampled_softmax_gradients(
            jnp.zeros((G, S, D)), jnp.zeros((G, C, D)), jnp.zeros((G, C, S)), jnp.zeros((G, C))
        )
