import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.n_pair import n_pair_loss

B, D = 7, 3


@pytest.mark.parametrize("labels", [None, np.array([0, 4, 0, 1, 2, 4, 0])])
def test_each_anchor_has_the_papers_loss(labels):
    anchor, positive = np.random.default_rng(0).normal(size=(2, B, D))
    classes = np.arange(B) if labels is None else labels
    expected = []
    for i in range(B):
        inside = 1.0
        for j in range(B):
            if classes[j] != classes[i]:
                inside += np.exp(anchor[i] @ positive[j] - anchor[i] @ positive[i])
        expected.append(np.log(inside))
    found = jax.jit(
        lambda: n_pair_loss(
            jnp.asarray(anchor, jnp.float32),
            jnp.asarray(positive, jnp.float32),
            labels=None if labels is None else jnp.asarray(labels),
        )
    )()
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(found.counts, 1)


def test_one_pair_has_nothing_to_tell_apart():
    found = jax.jit(lambda: n_pair_loss(jnp.ones((1, D)), 3 * jnp.ones((1, D))))()
    assert (found.loss[0], found.counts[0]) == (0, 1)
