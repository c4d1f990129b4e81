import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.ranking import ranking_loss

B, D = 7, 3


@pytest.mark.parametrize("labels", [None, np.array([0, 4, 0, 1, 2, 4, 0])])
def test_each_row_has_the_papers_loss(labels):
    first, second = np.random.default_rng(0).normal(size=(2, B, D))
    classes = np.arange(B) if labels is None else labels
    x = first / np.linalg.norm(first, axis=1, keepdims=True)
    z = second / np.linalg.norm(second, axis=1, keepdims=True)
    expected = np.zeros(B)
    for i in range(B):
        for j in range(B):
            if classes[i] != classes[j]:
                expected[i] += max(0.0, 0.4 - x[i] @ z[i] + x[i] @ z[j])
    assert (expected == 0).sum() < 3 < len(np.unique(expected))
    found = jax.jit(
        lambda: ranking_loss(
            jnp.asarray(first, jnp.float32),
            jnp.asarray(second, jnp.float32),
            margin=0.4,
            labels=None if labels is None else jnp.asarray(labels),
        )
    )()
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found.counts, 1)


def test_a_margin_that_is_none_is_refused():
    with pytest.raises(InputError, match="margin must be a finite number of at least 0"):
        ranking_loss(jnp.eye(2), jnp.eye(2), margin=-1.0)
