import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.models.word2vec import context_weights, init


def test_tables_start_as_word2vecs():
    params = init(jax.random.key(0), vocabulary=500, dim=8)
    assert params["input"].shape == params["output"].shape == (500, 8)
    assert not params["output"].any()
    bound = 1 / (2 * 8)
    assert abs(params["input"]).max() <= bound
    assert params["input"].std() == pytest.approx(bound / 3**0.5, rel=0.05)


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
