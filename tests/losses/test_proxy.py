import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.proxy import proxy_nca_loss

B, C, D = 7, 5, 3


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_each_example_has_the_papers_loss(temperature):
    rng = np.random.default_rng(0)
    vectors, proxies = rng.normal(size=(B, D)), rng.normal(size=(C, D))
    labels = rng.integers(C, size=B)
    expected = []
    for x, y in zip(vectors, labels, strict=True):
        distances = []
        for p in proxies:
            gap = x / np.linalg.norm(x) - p / np.linalg.norm(p)
            distances.append((gap**2).sum() / temperature)
        others = sum(np.exp(-distances[z]) for z in range(C) if z != y)
        expected.append(-np.log(np.exp(-distances[y]) / others))
    found = jax.jit(
        lambda: proxy_nca_loss(
            jnp.asarray(vectors, jnp.float32),
            jnp.asarray(labels),
            jnp.asarray(proxies, jnp.float32),
            temperature=temperature,
        )
    )()
    # A difference of two logarithms of size one.
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found.counts, 1)


def test_a_single_proxy_has_no_others():
    found = jax.jit(lambda: proxy_nca_loss(jnp.ones((2, D)), jnp.zeros(2, int), jnp.ones((1, D))))()
    assert not np.asarray(found.counts).any()
    assert not np.asarray(found.loss).any()
