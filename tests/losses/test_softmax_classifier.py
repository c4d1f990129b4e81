import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.losses.softmax_classifier import softmax_classifier_loss

B, C = 7, 4


def test_cross_entropy():
    rng = np.random.default_rng(0)
    logits, labels = 3 * rng.normal(size=(B, C)), rng.integers(C, size=B)
    expected = [
        -np.log(np.exp(row[y]) / sum(np.exp(logit) for logit in row))
        for row, y in zip(logits, labels, strict=True)
    ]
    found = jax.jit(
        lambda: softmax_classifier_loss(jnp.asarray(logits, jnp.float32), jnp.asarray(labels))
    )()
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found.counts, 1)


def test_rows_left_out_may_hold_anything():
    logits = jnp.array([[1.0, 2.0], [jnp.nan, 1.0], [jnp.inf, -jnp.inf]])
    found = jax.jit(
        lambda: softmax_classifier_loss(
            logits, jnp.array([0, 1, 0]), where=jnp.array([True, False, False])
        )
    )()
    np.testing.assert_allclose(found.loss, [np.log1p(np.e), 0, 0], rtol=1e-6)
