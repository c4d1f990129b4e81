import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.losses.distances import pairwise_l1, pairwise_squared_euclidean
from jaxemb.losses.prototypical import prototypes, prototypical_loss

S, Q, D, CLASSES = 8, 6, 3, 4
SUPPORT_LABELS = np.array([0, 3, 1, 0, 3, 1, 0, 1])  # class 2 has no examples
QUERY_LABELS = np.array([3, 0, 1, 1, 2, 0])
GAPS = {
    pairwise_squared_euclidean: lambda gap: (gap**2).sum(),
    pairwise_l1: lambda gap: np.abs(gap).sum(),
}


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(S, D)), rng.normal(size=(Q, D))


def means(support, keep):
    return {
        c: support[keep & (c == SUPPORT_LABELS)].mean(axis=0)
        for c in range(CLASSES)
        if (keep & (c == SUPPORT_LABELS)).any()
    }


def test_prototypes_are_means():
    support, _ = data()
    found, count = jax.jit(
        lambda: prototypes(
            jnp.asarray(support, jnp.float32), jnp.asarray(SUPPORT_LABELS), classes=CLASSES
        )
    )()
    np.testing.assert_array_equal(count, [3, 3, 0, 2])
    for c, mean in means(support, np.ones(S, bool)).items():
        np.testing.assert_allclose(found[c], mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[2], 0)


def test_each_query_has_the_papers_loss():
    support, query = data()
    for keep in (np.ones(S, bool), np.array([1, 0, 1, 1, 0, 1, 0, 1], bool)):
        for distance, length in GAPS.items():
            known = means(support, keep)
            expected = np.zeros(Q)
            for i, (x, y) in enumerate(zip(query, QUERY_LABELS, strict=True)):
                if y in known:
                    logits = {c: -length(x - mean) for c, mean in known.items()}
                    below = sum(np.exp(logit) for logit in logits.values())
                    expected[i] = -np.log(np.exp(logits[y]) / below)
            loss = functools.partial(prototypical_loss, classes=CLASSES, distance=distance)
            found = jax.jit(loss)(
                jnp.asarray(support, jnp.float32),
                jnp.asarray(SUPPORT_LABELS),
                jnp.asarray(query, jnp.float32),
                jnp.asarray(QUERY_LABELS),
                support_where=jnp.asarray(keep),
            )
            np.testing.assert_allclose(found.loss, expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(found.counts, [y in known for y in QUERY_LABELS])
