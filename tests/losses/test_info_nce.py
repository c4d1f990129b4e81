import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.info_nce import info_nce_loss, nt_xent_loss

B, D, TEMPERATURE = 7, 3, 0.2
LABELS = [None, np.array([0, 4, 0, 1, 2, 4, 0])]


def cosine(x, y):
    return x @ y / np.sqrt((x @ x) * (y @ y))


def data():
    return np.random.default_rng(0).normal(size=(2, B, D))


def found(loss, labels):
    first, second = (jnp.asarray(view, jnp.float32) for view in data())
    labels = None if labels is None else jnp.asarray(labels)
    compiled = jax.jit(functools.partial(loss, temperature=TEMPERATURE))
    return compiled(first, second, labels=labels)


@pytest.mark.parametrize("labels", LABELS)
def test_info_nce(labels):
    first, second = data()
    classes = np.arange(B) if labels is None else labels
    expected = []
    for i in range(B):
        own = np.exp(cosine(first[i], second[i]) / TEMPERATURE)
        others = sum(
            np.exp(cosine(first[i], second[j]) / TEMPERATURE)
            for j in range(B)
            if classes[j] != classes[i]
        )
        expected.append(-np.log(own / (own + others)))
    terms = found(info_nce_loss, labels)
    np.testing.assert_allclose(terms.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(terms.counts, 1)


def test_what_is_frequent_is_corrected():
    first, second = data()
    log_q = np.random.default_rng(2).normal(-4, 2, size=B)
    expected = []
    for i in range(B):
        scores = [cosine(first[i], second[j]) / TEMPERATURE - log_q[j] for j in range(B)]
        others = [scores[j] for j in range(B) if LABELS[1][j] != LABELS[1][i]]
        expected.append(-scores[i] + np.log(np.exp([scores[i], *others]).sum()))
    compiled = jax.jit(functools.partial(info_nce_loss, temperature=TEMPERATURE))
    views = (jnp.asarray(view, jnp.float32) for view in data())
    terms = compiled(*views, labels=jnp.asarray(LABELS[1]), log_q=jnp.asarray(log_q, jnp.float32))
    # Scores of about 10 are subtracted.
    np.testing.assert_allclose(terms.loss, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("labels", LABELS)
def test_nt_xent(labels):
    views = np.concatenate(data())
    classes = np.tile(np.arange(B) if labels is None else labels, 2)
    expected = np.zeros(B)
    for i in range(2 * B):
        partner = (i + B) % (2 * B)
        own = np.exp(cosine(views[i], views[partner]) / TEMPERATURE)
        others = sum(
            np.exp(cosine(views[i], views[j]) / TEMPERATURE)
            for j in range(2 * B)
            if classes[j] != classes[i]
        )
        expected[i % B] -= np.log(own / (own + others))
    terms = found(nt_xent_loss, labels)
    np.testing.assert_allclose(terms.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(terms.counts, 2)


def test_sizes_of_vectors_do_not_matter():
    first, second = (jnp.asarray(view, jnp.float32) for view in data())
    sizes = jnp.asarray(np.random.default_rng(1).uniform(1e-20, 1e20, (B, 1)), jnp.float32)
    for loss in (info_nce_loss, nt_xent_loss):
        compiled = jax.jit(functools.partial(loss, temperature=TEMPERATURE))
        once = compiled(first, second).loss
        again = compiled(first * sizes, second * sizes[::-1]).loss
        np.testing.assert_allclose(again, once, rtol=1e-5)
