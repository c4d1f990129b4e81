import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss

LABELS = np.array([0, 4, 0, 1, 2, 4, 0, 0])
B, D, TEMPERATURE = len(LABELS), 3, 0.2


def test_each_example_has_the_papers_loss():
    vectors = np.random.default_rng(0).normal(size=(B, D))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected, count = np.zeros(B), np.zeros(B)
    for i in range(B):
        below = sum(np.exp(unit[i] @ unit[a] / TEMPERATURE) for a in range(B) if a != i)
        positives = [p for p in range(B) if p != i and LABELS[p] == LABELS[i]]
        for p in positives:
            ratio = np.exp(unit[i] @ unit[p] / TEMPERATURE) / below
            expected[i] -= np.log(ratio) / len(positives)
        count[i] = bool(positives)
    found = jax.jit(
        lambda: supervised_contrastive_loss(
            jnp.asarray(vectors, jnp.float32), jnp.asarray(LABELS), temperature=TEMPERATURE
        )
    )()
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(found.counts, count)
