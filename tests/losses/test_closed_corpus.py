"""What each objective finds, trained to convergence, as wide as the vocabulary, on a small text."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.kernels.negative_sampling import skipgram_gradients
from jaxemb.losses.full_softmax import full_softmax_loss
from jaxemb.losses.hierarchical_softmax import hierarchical_softmax_loss
from jaxemb.losses.nce import nce_loss
from jaxemb.models.huffman import huffman_tree

V, N, W, NEGATIVES = 5, 150, 2, 3.0


@pytest.fixture(scope="module")
def text():
    """A ring of words, each of which prefers some followers: every word has 2 W contexts."""
    rng = np.random.default_rng(5)
    words, step = [0], rng.dirichlet(np.full(V, 0.4), V)
    while len(words) < N:
        words.append(int(rng.choice(V, p=step[words[-1]])))
    return np.array(words)


@pytest.fixture(scope="module")
def counts(text):
    """[V, V] how often word c is a context of word w."""
    found = np.zeros((V, V))
    for i in range(N):
        for offset in range(-W, W + 1):
            if offset:
                found[text[i], text[(i + offset) % N]] += 1
    assert (found > 0).all()  # or the logs would be infinite
    return found


def descend(gradient, columns, rows=V):
    """Adam on both tables, until nothing moves."""
    gradient = jax.jit(gradient)
    rng = np.random.default_rng(1)
    tables = tuple(
        jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((V, V), (rows, columns))
    )
    optimizer = optax.adam(optax.cosine_decay_schedule(0.1, 600))

    def take(carry, _):
        tables, state = carry
        updates, state = optimizer.update(gradient(*tables), state)
        return (optax.apply_updates(tables, updates), state), None

    (tables, _), _ = jax.lax.scan(take, (tables, optimizer.init(tables)), length=600)
    moving = max(np.abs(part).max() for part in gradient(*tables))
    assert moving < 0.01 * N  # the gradient is a sum over the text
    return [np.asarray(table, np.float64) for table in tables]


def test_negative_sampling_factorizes_shifted_pmi(text, counts):
    """Levy & Goldberg 2014, NIPS, eq. 11 and 12: u.v = PMI(w, c) - log k."""
    ring = np.concatenate([text[-W:], text, text[:W]])
    # The words themselves are the noise, so that it is the unigram distribution exactly.
    reach = jnp.full((1, N), W)

    def gradient(inputs, outputs):
        found = skipgram_gradients(
            inputs[text][None],
            outputs[ring][None],
            outputs[text][None],
            reach,
            reach,
            jnp.ones((1, N)),
            jnp.ones((1, len(ring))),
            jnp.ones((1, N)),
            margin=W,
            negatives=NEGATIVES,
        )
        to_outputs = jnp.zeros_like(outputs).at[ring].add(found.outputs[0])
        return (
            jnp.zeros_like(inputs).at[text].add(found.hidden[0]),
            to_outputs.at[text].add(found.noise[0]),
        )

    inputs, outputs = descend(gradient, V)
    pmi = np.log(counts * counts.sum() / counts.sum(1)[:, None] / counts.sum(0)[None])
    np.testing.assert_allclose(inputs @ outputs.T, pmi - np.log(NEGATIVES), atol=0.01)
    assert np.ptp(pmi) > 2  # there is something to find


def pairs():
    return np.repeat(np.arange(V), V), np.tile(np.arange(V), V)


def scores(inputs, outputs):
    return inputs @ outputs[:, :V].T + outputs[:, V]


def test_full_softmax_finds_the_probabilities(counts):
    w, c = pairs()

    def total(inputs, outputs):
        hidden = jnp.concatenate([inputs, jnp.ones((V, 1))], axis=1)
        return jnp.sum(counts.ravel() * full_softmax_loss(hidden[w], outputs, jnp.asarray(c)))

    found = np.exp(scores(*descend(jax.grad(total, (0, 1)), V + 1)))
    expected = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found / found.sum(axis=1, keepdims=True), expected, atol=0.002)


def test_nce_finds_the_probabilities_without_normalizing(counts):
    w, c = pairs()
    q = jnp.asarray((counts.sum(0) ** 0.75 / (counts.sum(0) ** 0.75).sum())[None], jnp.float32)
    expected = jnp.log(NEGATIVES * q)

    def total(inputs, outputs):
        hidden = jnp.concatenate([inputs, jnp.ones((V, 1))], axis=1)

        def loss(where):  # of each pair against each noise word alone
            return nce_loss(
                jnp.repeat(hidden[w], V, 0),
                jnp.repeat(outputs[c], V, 0),
                jnp.tile(outputs, (V * V, 1))[:, None],
                context_expected=jnp.repeat(expected[0, c], V),
                noise_expected=jnp.tile(expected, (V * V, 1)).reshape(-1, 1),
                where=where,
            ).reshape(V * V, V)

        observed = loss(jnp.zeros((V**3, 1), bool))
        noise = NEGATIVES * jnp.sum(q * (loss(None) - observed), axis=1)
        return jnp.sum(counts.ravel() * (observed[:, 0] + noise))

    found = np.exp(scores(*descend(jax.grad(total, (0, 1)), V + 1)))
    np.testing.assert_allclose(found, counts / counts.sum(axis=1, keepdims=True), atol=0.002)


def test_hierarchical_softmax_finds_the_probabilities(counts):
    w, c = pairs()
    tree = huffman_tree(counts.sum(0))
    nodes = np.minimum(tree.nodes, V - 2)

    def losses(inputs, outputs):
        return hierarchical_softmax_loss(inputs[w], outputs[nodes[c]], jnp.asarray(tree.codes[c]))

    tables = descend(
        jax.grad(lambda *tables: jnp.sum(counts.ravel() * losses(*tables)), (0, 1)), V, V - 1
    )
    found = np.exp(-jax.jit(losses)(*map(np.float32, tables))).reshape(V, V)
    np.testing.assert_allclose(found, counts / counts.sum(axis=1, keepdims=True), atol=0.002)
