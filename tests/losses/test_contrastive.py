import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.contrastive import all_pairs_contrastive_loss, contrastive_loss
from jaxemb.losses.distances import l1, pairwise_euclidean

B, D, MARGIN = 11, 4, 2.5


def paper_loss(distance, same):
    """Equation 4 of Hadsell et al. 2006."""
    return distance**2 / 2 if same else max(0.0, MARGIN - distance) ** 2 / 2


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(B, D)), rng.normal(size=(B, D)), rng.random(B) < 0.4


def float32(*arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


def test_each_pair_has_the_papers_loss():
    first, second, same = data()
    found = jax.jit(
        lambda: contrastive_loss(*float32(first, second), jnp.asarray(same), margin=MARGIN)
    )()
    gaps = [np.sqrt(((x - y) ** 2).sum()) for x, y in zip(first, second, strict=True)]
    expected = [paper_loss(gap, s) for gap, s in zip(gaps, same, strict=True)]
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)
    found = jax.jit(
        lambda: contrastive_loss(
            *float32(first, second), jnp.asarray(same), margin=MARGIN, distance=l1
        )
    )()
    gaps = [np.abs(x - y).sum() for x, y in zip(first, second, strict=True)]
    expected = [paper_loss(gap, s) for gap, s in zip(gaps, same, strict=True)]
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5, atol=1e-7)


def test_all_pairs():
    vectors, _, _ = data(1)
    labels = np.array([0, 1, 0, 2, 2, 0, 1, 3, 0, 1, 2])
    table = pairwise_euclidean(*float32(vectors, vectors))
    found = jax.jit(lambda: all_pairs_contrastive_loss(table, jnp.asarray(labels), margin=MARGIN))()
    expected = np.zeros(B)
    for i in range(B):
        for j in range(B):
            if i != j:
                gap = np.sqrt(((vectors[i] - vectors[j]) ** 2).sum())
                expected[i] += paper_loss(gap, labels[i] == labels[j])
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(found.counts, B - 1)


def test_wrong_arguments():
    first, second, same = data()
    with pytest.raises(InputError, match="the margin must be a finite number of at least 0"):
        contrastive_loss(*float32(first, second), jnp.asarray(same), margin=-1.0)
    with pytest.raises(AssertionError):
        contrastive_loss(*float32(first, second), jnp.asarray(same)[:, None], margin=1.0)
