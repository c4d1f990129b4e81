import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.hierarchical_softmax import hierarchical_softmax_gradients
from jaxemb.losses.hierarchical_softmax import hierarchical_softmax_loss

G, S, C, L, D = 2, 4, 5, 3, 6


def test_gradients_and_loss_are_those_of_the_formula():
    """Paths of one to three nodes; a prediction may count several times."""
    rng = np.random.default_rng(0)
    hidden, outputs = (
        jnp.asarray(rng.normal(size=(G, size, D)), jnp.float32) for size in (S, C * L)
    )
    codes = rng.choice([-1, 1], (G, C, L)) * (np.arange(L) < rng.integers(1, L + 1, (G, C, 1)))
    observed = rng.integers(0, 3, (G, C, S))
    scale = jnp.asarray(rng.uniform(1, 2, (G, C * L)), jnp.float32)

    def losses(hidden, outputs):
        center = jnp.repeat(hidden[:, None], C, 1).reshape(-1, D)
        nodes = jnp.repeat(outputs.reshape(G, C, 1, L, D), S, 2).reshape(-1, L, D)
        turns = jnp.repeat(codes[:, :, None], S, 2).reshape(-1, L)
        return observed * hierarchical_softmax_loss(center, nodes, turns).reshape(G, C, S)

    found = jax.jit(hierarchical_softmax_gradients)(
        hidden, outputs, np.int8(codes), np.float32(observed), scale
    )
    expected = jax.jit(jax.grad(lambda *a: losses(*a).sum(), (0, 1)))(hidden, outputs)
    np.testing.assert_allclose(found.hidden, expected[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.outputs, expected[1] * scale[..., None], rtol=1e-4, atol=1e-5)
    first = jax.jit(losses)(hidden, outputs)[:, 0]
    np.testing.assert_allclose(found.loss, first.sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(found.predictions, observed[:, 0].sum(axis=1))


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        hierarchical_softmax_gradients(
            jnp.zeros((G, S, D)),
            jnp.zeros((G, C, D)),
            jnp.zeros((G, C, L), jnp.int8),
            jnp.zeros((G, C, S)),
            jnp.zeros((G, C)),
        )
