import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels import full_softmax
from jaxemb.kernels.full_softmax import full_softmax_gradients
from jaxemb.losses.full_softmax import full_softmax_loss

V, D = 11, 4
G, S, C = 2, 8, 3


@pytest.mark.parametrize("scores", [1 << 22, V * 4, 1])
def test_grouped_gradients_are_those_of_the_loss(monkeypatch, scores):
    """In one block, in blocks of four vectors, one by one; a pair may count several times."""
    monkeypatch.setattr(full_softmax, "_SCORES", scores)
    rng = np.random.default_rng(1)
    hidden, outputs = rng.normal(size=(G, S, D)), rng.normal(size=(V, D))
    words, observed = rng.integers(0, V, (G, C)), rng.integers(0, 3, (G, C, S))
    words[1, 2], observed[1, 2] = V, 0  # beyond the text

    def total(hidden, outputs):
        center = jnp.repeat(hidden[:, None], C, 1)
        context = jnp.broadcast_to(jnp.minimum(words, V - 1)[:, :, None], (G, C, S))
        loss = full_softmax_loss(center.reshape(-1, D), outputs, context.reshape(-1))
        return (observed * loss.reshape(G, C, S)).sum(axis=(1, 2))

    inputs = jnp.asarray(hidden, jnp.float32), jnp.asarray(outputs, jnp.float32)
    # Compiled here, because the block's size is taken when it is traced.
    found = jax.jit(lambda *a: full_softmax_gradients(*a))(*inputs, words, np.float32(observed))
    expected = jax.jit(jax.grad(lambda *a: total(*a).sum(), (0, 1)))(*inputs)
    np.testing.assert_allclose(found.hidden, expected[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.outputs, expected[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.loss, jax.jit(total)(*inputs), rtol=1e-5)
    np.testing.assert_array_equal(found.predictions, observed.sum(axis=(1, 2)))
