import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses import hierarchical_softmax
from jaxemb.models.huffman import huffman_tree

# Operation by operation, each would be compiled.
hierarchical_softmax_loss = jax.jit(hierarchical_softmax.hierarchical_softmax_loss)

B, V, D = 7, 11, 4
TREE = huffman_tree(np.random.default_rng(3).integers(1, 500, V))


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(B, D)), rng.normal(size=(V - 1, D)), rng.integers(0, V, B)


def loss_of(center, inner, words):
    # What a path's padding gathers must not matter.
    nodes = np.concatenate([inner, np.full((1, D), 7.0)])[TREE.nodes[words]]
    return hierarchical_softmax_loss(
        jnp.asarray(center, jnp.float32), jnp.asarray(nodes, jnp.float32), TREE.codes[words]
    )


def paper_loss(center, inner, word):
    """Equation 3 of Mikolov et al. 2013 for one pair, in float64: -log p(word | center)."""
    p = 1.0
    for node, code in zip(TREE.nodes[word], TREE.codes[word], strict=True):
        if code != 0:
            p *= 1 / (1 + np.exp(-code * np.dot(inner[node], center)))
    return -np.log(p)


def test_each_pair_has_the_papers_loss(batch):
    center, inner, words = batch
    expected = [paper_loss(center[i], inner, words[i]) for i in range(B)]
    np.testing.assert_allclose(loss_of(*batch), expected, rtol=1e-5)


def test_one_pair_alone_has_its_loss_in_the_batch(batch):
    center, inner, words = batch
    whole = loss_of(*batch)
    for i in range(B):
        alone = loss_of(center[i : i + 1], inner, words[i : i + 1])
        np.testing.assert_allclose(alone[0], whole[i], rtol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1.0, 30.0])
def test_probabilities_of_all_words_sum_to_one(batch, size):
    """Whatever the vectors are, trained or not."""
    center, inner, _ = batch
    every = np.tile(np.arange(V), B)
    p = np.exp(-np.asarray(loss_of(size * np.repeat(center, V, 0), inner, every), np.float64))
    np.testing.assert_allclose(p.reshape(B, V).sum(axis=1), 1, rtol=1e-5)
    assert (size == 0) or p.std() > 0.1  # of words that differ


def test_a_path_that_is_all_padding_has_no_loss():
    center = jnp.ones((1, D))
    codes = jnp.zeros((1, 3), jnp.int8)

    def total(c):
        return hierarchical_softmax_loss(c, jnp.ones((1, 3, D)), codes).sum()

    loss, gradient = jax.value_and_grad(total)(center)
    assert float(loss) == 0
    assert not np.asarray(gradient).any()


@pytest.mark.parametrize("size", [0.0, 1e4, 1e15])
def test_loss_and_gradients_are_finite(size):
    nodes, codes = jnp.full((2, 3, D), size), jnp.array([[1, -1, 0], [-1, -1, 1]], jnp.int8)
    loss, gradients = jax.value_and_grad(
        lambda c, n: hierarchical_softmax_loss(c, n, codes).sum(), (0, 1)
    )(jnp.full((2, D), size), nodes)
    assert np.isfinite(loss)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        hierarchical_softmax_loss(jnp.zeros((2, 3)), jnp.zeros((2, 4, 5)), jnp.zeros((2, 4)))
    with pytest.raises(AssertionError):
        hierarchical_softmax_loss(jnp.zeros((2, 3)), jnp.zeros((2, 4, 3)), jnp.zeros((2, 5)))
