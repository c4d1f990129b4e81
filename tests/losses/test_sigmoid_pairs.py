import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.sigmoid_pairs import sigmoid_pairs_loss

B, D = 7, 3


@pytest.mark.parametrize("labels", [None, np.array([0, 4, 0, 1, 2, 4, 0])])
def test_each_row_has_the_papers_loss(labels):
    first, second = np.random.default_rng(0).normal(size=(2, B, D))
    classes = np.arange(B) if labels is None else labels
    scale, bias = 6.0, -1.5
    expected = np.zeros(B)
    for i in range(B):
        for j in range(B):
            cosine = first[i] @ second[j] / np.linalg.norm(first[i]) / np.linalg.norm(second[j])
            z = 1 if classes[i] == classes[j] else -1
            expected[i] += np.log(1 + np.exp(-z * (scale * cosine + bias)))
    found = jax.jit(
        lambda: sigmoid_pairs_loss(
            jnp.asarray(first, jnp.float32),
            jnp.asarray(second, jnp.float32),
            scale=scale,
            bias=bias,
            labels=None if labels is None else jnp.asarray(labels),
        )
    )()
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(found.counts, 1)
