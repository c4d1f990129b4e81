import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.glove import glove_loss, glove_weight

RNG = np.random.default_rng(3)
PIECES, LENGTH, D = 5, 7, 6
ROWS = RNG.normal(0, 0.5, (PIECES, D + 1))
OTHERS = RNG.normal(0.1, 0.4, (PIECES, LENGTH, D + 1))
COUNTS = RNG.gamma(0.5, 20, (PIECES, LENGTH))
COUNTS[0, :3] = 0, 0.25, 1000
COUNTS[3] = 0
X_MAX, ALPHA = 10.0, 0.6


def float32(*arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


def weight(count):
    """f, as the paper's equation 9 has it."""
    return (count / X_MAX) ** ALPHA if count < X_MAX else 1.0


def one_loss(word, context, word_bias, context_bias, count):
    """A term of equation 8."""
    if count == 0:
        return 0.0
    error = float(np.dot(word, context)) + word_bias + context_bias - np.log(count)
    return 0.5 * weight(count) * error**2


def test_weight_is_the_papers():
    counts = np.array([0, 0.1, 1, 9.99, 10, 11, 1e6])
    expected = [0, *(weight(count) for count in counts[1:])]
    found = glove_weight(*float32(counts), x_max=X_MAX, alpha=ALPHA)
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_loss_is_the_papers():
    words, contexts = (
        ROWS[:, None, :].repeat(LENGTH, 1).reshape(-1, D + 1),
        OTHERS.reshape(-1, D + 1),
    )
    counts = COUNTS.reshape(-1)
    expected = [
        one_loss(word[:-1], context[:-1], word[-1], context[-1], count)
        for word, context, count in zip(words, contexts, counts, strict=True)
    ]
    found = glove_loss(
        *float32(words[:, :-1], contexts[:, :-1], words[:, -1], contexts[:, -1], counts),
        x_max=X_MAX,
        alpha=ALPHA,
    )
    assert found.shape == (PIECES * LENGTH,)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)


def test_no_pair_has_neither_loss_nor_gradient():
    zero = jnp.zeros(2)
    vectors = jnp.full((2, 3), 1e18)

    def loss(vectors):
        return glove_loss(vectors, vectors, zero, zero, zero).sum()

    found, gradients = jax.value_and_grad(loss)(vectors)
    assert found == 0
    assert not np.asarray(gradients).any()


def test_shapes_are_checked():
    rows, counts = float32(ROWS, COUNTS)
    with pytest.raises(AssertionError):
        glove_loss(rows, rows, counts[:, 0], counts[:2, 0], counts[:, 0])
