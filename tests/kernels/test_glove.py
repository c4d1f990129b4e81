import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.glove import glove_gradients
from jaxemb.losses.glove import glove_loss

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


def one_loss(row, other, count):
    """A term of the paper's equation 8, and its derivative by the score."""
    if count == 0:
        return 0.0, 0.0
    weight = (count / X_MAX) ** ALPHA if count < X_MAX else 1.0
    error = float(np.dot(row[:-1], other[:-1])) + row[-1] + other[-1] - np.log(count)
    return 0.5 * weight * error**2, weight * error


def test_gradients_are_those_of_the_loss_by_loops():
    gradients, losses = np.zeros((PIECES, D + 1)), np.zeros(PIECES)
    for p in range(PIECES):
        for k in range(LENGTH):
            row, other = ROWS[p], OTHERS[p, k]
            loss, slope = one_loss(row, other, COUNTS[p, k])
            losses[p] += loss
            gradients[p, :-1] += slope * other[:-1]
            gradients[p, -1] += slope
    found = glove_gradients(*float32(ROWS, OTHERS, COUNTS), x_max=X_MAX, alpha=ALPHA)
    np.testing.assert_allclose(found.rows, gradients, rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(found.loss, losses, rtol=2e-5)
    # A piece without pairs.
    assert not np.asarray(found.rows[3]).any()


def test_value_and_gradients_are_those_of_the_formula():
    rows, others, counts = float32(ROWS, OTHERS, COUNTS)

    def total(rows):
        words = jnp.repeat(rows, LENGTH, axis=0)
        contexts = others.reshape(-1, D + 1)
        return glove_loss(
            words[:, :-1], contexts[:, :-1], words[:, -1], contexts[:, -1], counts.reshape(-1)
        ).sum()

    found = glove_gradients(rows, others, counts)
    expected, gradients = jax.jit(jax.value_and_grad(total))(rows)
    np.testing.assert_allclose(found.loss.sum(), expected, rtol=1e-5)
    np.testing.assert_allclose(found.rows, gradients, rtol=1e-4, atol=1e-5)


def test_shapes_are_checked():
    rows, others, counts = float32(ROWS, OTHERS, COUNTS)
    with pytest.raises(AssertionError):
        glove_gradients(rows[:2], others, counts)
    with pytest.raises(AssertionError):
        glove_gradients(rows, others[..., :-1], counts)
