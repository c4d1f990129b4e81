"""The kernels are the gradients of `losses.negative_sampling`, of all windows at once."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.blocks import cut_blocks
from jaxemb.kernels.negative_sampling import cbow_gradients, skipgram_gradients
from jaxemb.kernels.products import multiply
from jaxemb.losses.negative_sampling import negative_sampling_loss
from jaxemb.sampling.noise import noise_distribution

G, S, B, W, K, D, V = 2, 6, 3, 2, 3, 4, 11
NEGATIVES = 5.0
# float32 sums of a few dozen terms of size one
CLOSE = {"rtol": 2e-5, "atol": 2e-6}
# Operation by operation, each would be compiled.
of_groups = jax.jit(functools.partial(skipgram_gradients, margin=W, negatives=NEGATIVES))


def log_sigmoid(x):
    return -np.log1p(np.exp(-x)) if x > 0 else x - np.log1p(np.exp(x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def float32(arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


def groups(seed=0):
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, W + 1, (G, S)), rng.integers(0, W + 1, (G, S))
    left[1, 2] = right[1, 2] = 0  # a word without context
    return rng, left, right


def pairs(left, right):
    """All (group, center, column of the context)."""
    return [
        (g, s, s + W + offset)
        for g in range(G)
        for s in range(S)
        for offset in range(-left[g, s], right[g, s] + 1)
        if offset
    ]


def loop_skipgram(hidden, outputs, left, right, noise_weight, term=lambda term: term):
    """The gradient of the sum over pairs of the paper's loss, word by word in float64.

    noise_weight [K]: how often each of the group's noise words counts for a pair.
    term: what of each term is summed.
    """
    to_hidden, to_outputs = np.zeros(hidden.shape), np.zeros(outputs.shape)
    for g, s, c in pairs(left, right):
        columns = [(c, 1.0, 1.0)] + [
            (S + 2 * W + k, 0.0, noise_weight[k]) for k in range(len(noise_weight))
        ]
        for column, label, weight in columns:
            error = weight * (sigmoid(hidden[g, s] @ outputs[g, column]) - label)
            to_hidden[g, s] += term(error * outputs[g, column])
            to_outputs[g, column] += term(error * hidden[g, s])
    return to_hidden, to_outputs


def skipgram(hidden, outputs, left, right, hidden_scale=None, output_scale=None, dtype=jnp.float32):
    """As `skipgram_gradients`, with one row for each word of a group, then for each noise word."""
    hidden_scale = np.ones(hidden.shape[:2]) if hidden_scale is None else hidden_scale
    output_scale = np.ones(outputs.shape[:2]) if output_scale is None else output_scale
    words = S + 2 * W
    columns = np.asarray(cut_blocks(jnp.arange(words)[None], margin=W, block=B))[0]
    found = of_groups(
        *(jnp.asarray(rows, dtype) for rows in (hidden, outputs[:, columns], outputs[:, words:])),
        left,
        right,
        *float32((hidden_scale, output_scale[:, columns], output_scale[:, words:])),
    )
    whole = np.zeros(outputs.shape)
    np.add.at(whole, (slice(None), columns), np.asarray(found.outputs))
    whole[:, words:] = found.noise
    return found._replace(outputs=whole)


def test_skipgram_gradients_are_the_loops():
    rng, left, right = groups()
    hidden, outputs = rng.normal(size=(G, S, D)), rng.normal(size=(G, S + 2 * W + K, D))
    hidden_scale, output_scale = rng.uniform(1, 2, (G, S)), rng.uniform(1, 2, outputs.shape[:2])
    found = skipgram(hidden, outputs, left, right, hidden_scale, output_scale)
    to_hidden, to_outputs = loop_skipgram(hidden, outputs, left, right, [NEGATIVES / K] * K)
    np.testing.assert_allclose(found.hidden, to_hidden * hidden_scale[..., None], **CLOSE)
    np.testing.assert_allclose(found.outputs, to_outputs * output_scale[..., None], **CLOSE)


def test_rows_of_bfloat16_are_summed_in_float32():
    """Only the rows, and what their products are multiplied with, are rounded."""
    rng, left, right = groups(8)
    hidden, outputs = (
        np.asarray(jnp.asarray(rng.normal(size=(G, size, D)), jnp.bfloat16), np.float64)
        for size in (S, S + 2 * W + K)
    )
    found = skipgram(hidden, outputs, left, right, dtype=jnp.bfloat16)
    weight = [NEGATIVES / K] * K
    expected = loop_skipgram(hidden, outputs, left, right, weight)
    sizes = loop_skipgram(hidden, outputs, left, right, weight, abs)
    for ours, loop, size in zip((found.hidden, found.outputs), expected, sizes, strict=True):
        # One rounding to eight significant bits.
        assert (abs(ours - loop) <= 2**-8 * size + 1e-5).all()
        assert (abs(ours - loop) > 1e-5).any()
    assert found.hidden.dtype == found.noise.dtype == found.loss.dtype == jnp.float32


def products_of_bfloat16(function, *shapes):
    """Returns how many products of a compiled program take bfloat16 as it is."""
    program = jax.jit(function).lower(*shapes).compile().as_text()
    factor = r"= bf16\S+ parameter\(\d\)\n.*"
    return len(re.findall(factor + factor + r" dot\(", program))


def test_rows_of_bfloat16_are_multiplied_as_they_are():
    """Where XLA can: a factor that lies transposed in memory would make it widen them."""
    groups, size, block, margin, count, dim = 2, 32, 16, 5, 24, 64
    columns = size + 2 * margin * (size // block)
    rows = functools.partial(jax.ShapeDtypeStruct, dtype=jnp.bfloat16)
    weights = functools.partial(jax.ShapeDtypeStruct, dtype=jnp.float32)
    reach = jax.ShapeDtypeStruct((groups, size), jnp.int32)
    plain = products_of_bfloat16(
        lambda left, right: multiply("gcd,gsd->gcs", left, right),
        rows((groups, size, dim)),
        rows((groups, block, dim)),
    )
    found = products_of_bfloat16(
        functools.partial(skipgram_gradients, margin=margin, negatives=NEGATIVES),
        *(rows((groups, length, dim)) for length in (size, columns, count)),
        reach,
        reach,
        *(weights((groups, length)) for length in (size, columns, count)),
    )
    assert found == 6 * plain


def test_skipgram_gradients_are_those_of_the_loss():
    """What is written out agrees with what JAX traces through the per-example loss."""
    rng, left, right = groups(1)
    hidden, outputs = rng.normal(size=(G, S, D)), rng.normal(size=(G, S + 2 * W + K, D))
    found = skipgram(hidden, outputs, left, right)
    g, s, c = map(np.array, zip(*pairs(left, right), strict=True))

    def total(hidden, outputs):
        center = hidden[g, s]
        noise = outputs[g][:, S + 2 * W :]
        observed = negative_sampling_loss(center, outputs[g, c], noise[:, :0])
        # The observed word twice, less the observed word: the loss of the noise alone.
        both = negative_sampling_loss(center, outputs[g, c], noise)
        return jnp.sum(observed + NEGATIVES / K * (both - observed))

    expected = jax.jit(jax.grad(total, (0, 1)))(*float32((hidden, outputs)))
    np.testing.assert_allclose(found.hidden, expected[0], **CLOSE)
    np.testing.assert_allclose(found.outputs, expected[1], **CLOSE)


def table_gradients(words, noise, table_in, table_out, left, right):
    """Adds a step's row gradients up to gradients of the whole tables."""
    centers = words[:, W : W + S]
    columns = np.concatenate([words, noise], axis=1)
    found = skipgram(table_in[centers], table_out[columns], left, right)
    to_in, to_out = np.zeros(table_in.shape), np.zeros(table_out.shape)
    np.add.at(to_in, centers, np.asarray(found.hidden))
    np.add.at(to_out, columns, np.asarray(found.outputs))
    return to_in, to_out


def test_expected_gradient_of_shared_noise_is_the_papers():
    """Averaged over all draws of the shared noise words, the tables' gradient is the paper's."""
    rng, left, right = groups(2)
    words = rng.integers(0, V, (G, S + 2 * W))
    table_in, table_out = rng.normal(size=(V, D)), rng.normal(size=(V, D))
    probability = np.asarray(
        noise_distribution(rng.integers(1, 99, V), power=0.75).probability, np.float64
    )
    # With one shared word all draws can be enumerated; K words are a mean over K such draws.
    found = [
        table_gradients(words, np.full((G, 1), w), table_in, table_out, left, right)
        for w in range(V)
    ]
    mean_in, mean_out = (
        sum(p * part[i] for p, part in zip(probability, found, strict=True)) for i in (0, 1)
    )
    to_in, to_out = np.zeros((V, D)), np.zeros((V, D))
    for g, s, c in pairs(left, right):
        center, context = words[g, s + W], words[g, c]
        error = sigmoid(table_in[center] @ table_out[context]) - 1
        to_in[center] += error * table_out[context]
        to_out[context] += error * table_in[center]
        for w in range(V):
            error = NEGATIVES * probability[w] * sigmoid(table_in[center] @ table_out[w])
            to_in[center] += error * table_out[w]
            to_out[w] += error * table_in[center]
    np.testing.assert_allclose(mean_in, to_in, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mean_out, to_out, rtol=1e-4, atol=1e-5)


def test_the_reported_loss_is_that_of_each_groups_first_center():
    rng, left, right = groups(3)
    hidden, outputs = rng.normal(size=(G, S, D)), rng.normal(size=(G, S + 2 * W + K, D))
    found = skipgram(hidden, outputs, left, right)
    expected, count = np.zeros(G), np.zeros(G)
    for g, s, c in pairs(left, right):
        if s == 0:
            count[g] += 1
            expected[g] -= log_sigmoid(hidden[g, s] @ outputs[g, c])
            for k in range(K):
                score = hidden[g, s] @ outputs[g, S + 2 * W + k]
                expected[g] -= NEGATIVES / K * log_sigmoid(-score)
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(found.predictions, count)


def test_no_context_gives_no_gradient():
    rng, left, right = groups(4)
    found = skipgram(
        rng.normal(size=(G, S, D)), rng.normal(size=(G, S + 2 * W + K, D)), 0 * left, 0 * right
    )
    for part in found._replace(held=()):
        assert not np.asarray(part).any()


@pytest.mark.parametrize("size", [0.0, 1e15])
def test_skipgram_gradients_are_finite(size):
    _, left, right = groups(5)
    found = skipgram(np.full((G, S, D), size), np.full((G, S + 2 * W + K, D), size), left, right)
    for part in found[:2]:
        assert np.isfinite(np.asarray(part)).all()


def test_cbow_gradients_are_the_loops():
    rng, left, right = groups(6)
    hidden, outputs = rng.normal(size=(G, S, D)), rng.normal(size=(G, S + K, D))
    scale = rng.uniform(1, 2, outputs.shape[:2])
    present = left + right > 0
    found = jax.jit(functools.partial(cbow_gradients, negatives=NEGATIVES))(
        *float32((hidden, outputs[:, :S], outputs[:, S:])),
        present,
        *float32((scale[:, :S], scale[:, S:])),
    )
    to_hidden, to_outputs = np.zeros(hidden.shape), np.zeros(outputs.shape)
    loss, count = np.zeros(G), np.zeros(G)
    for g in range(G):
        for s in range(S):
            if not present[g, s]:
                continue
            columns = [(s, 1.0, 1.0)] + [(S + k, 0.0, NEGATIVES / K) for k in range(K)]
            for column, label, weight in columns:
                score = hidden[g, s] @ outputs[g, column]
                error = weight * (sigmoid(score) - label)
                to_hidden[g, s] += error * outputs[g, column]
                to_outputs[g, column] += error * hidden[g, s]
                if s == 0:
                    loss[g] -= weight * log_sigmoid(score if label else -score)
            count[g] += s == 0
    np.testing.assert_allclose(found.hidden, to_hidden, **CLOSE)
    to_outputs *= scale[..., None]
    np.testing.assert_allclose(found.outputs, to_outputs[:, :S], **CLOSE)
    np.testing.assert_allclose(found.noise, to_outputs[:, S:], **CLOSE)
    np.testing.assert_allclose(found.loss, loss, rtol=1e-5)
    np.testing.assert_array_equal(found.predictions, count)


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        skipgram(np.zeros((G, S, D)), np.zeros((G, S + 2 * W, D)), *groups()[1:])
