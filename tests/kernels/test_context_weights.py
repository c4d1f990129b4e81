import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.context_weights import context_weights


@pytest.mark.parametrize("mean", [True, False])
def test_context_is_the_mean_or_sum_of_the_neighbors(mean):
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 3, (3, 4)), rng.integers(0, 3, (3, 4))
    left[0, 1] = right[0, 1] = 0
    inputs = rng.normal(size=(3, 4 + 2 * 2, 5))
    weights = context_weights(jnp.asarray(left), jnp.asarray(right), margin=2, mean=mean)
    hidden = np.einsum("gsc,gcd->gsd", weights, inputs)
    for g in range(3):
        for s in range(4):
            offsets = [o for o in range(-left[g, s], right[g, s] + 1) if o]
            expected = sum((inputs[g, s + 2 + o] for o in offsets), np.zeros(5))
            if mean and offsets:
                expected = expected / len(offsets)
            np.testing.assert_allclose(hidden[g, s], expected, rtol=1e-5, atol=1e-6)
