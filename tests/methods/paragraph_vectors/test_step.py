"""Paragraph vectors: a step is the gradient of the paper's per-example loss, in plain loops."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.methods.paragraph_vectors.step import update, update_documents
from jaxemb.methods.word2vec.settings import Settings
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.text import TextBatch
from jaxemb.training.state import TrainState

V, N, D = 23, 9, 6  # words, documents, width
G, S, B, W, K, NEGATIVES, RATE, MEANS = 5, 8, 4, 2, 11, 5.0, 0.05, 1.5
FEW = 8  # noise words of a document's predictions, where words have more
COUNTS = np.arange(V, 0, -1) ** 2
NOISE = noise_distribution(COUNTS, power=0.75)
MODELS = ("dbow", "dbow_words", "dm")


def settings(model, **fields):
    # In parts a step takes longer to compile.
    given = {"groups": G, "size": S, "block": B, "noise": K, "parts": 1} | fields
    return Settings(model, W, NEGATIVES, **given)


def start(seed=3):
    rng = np.random.default_rng(seed)
    params = {
        "input": jnp.asarray(rng.normal(size=(V + N, D)), jnp.float32),
        "output": jnp.asarray(rng.normal(size=(V, D)), jnp.float32),
    }
    zero = jnp.zeros((), jnp.int32)
    return TrainState(zero, jax.random.key(1), params, dict.fromkeys(params, zero))


def text(seed=0):
    """Documents are numbered from 1; one stands in two groups, the last group ends the text."""
    rng = np.random.default_rng(seed)
    shape = (G, S + 2 * W)
    documents = np.sort(rng.integers(1, N + 1, shape), axis=-1)
    words = rng.zipf(1.3, shape) % V
    documents[-1, -4:], words[-1, -4:] = -1, V
    return TextBatch(words.astype(np.int32), documents.astype(np.int32))


def predictions(model, batch, example):
    """All (group, words that predict, document or None, word that is predicted)."""
    for g in range(G):
        for s in range(S):
            document = int(batch.documents[g, s + W]) - 1
            if document < 0:
                continue
            center = int(batch.words[g, s + W])
            reach = range(-int(example.left[g, s]), int(example.right[g, s]) + 1)
            near = [int(batch.words[g, s + W + offset]) for offset in reach if offset]
            if model == "dm":
                yield g, near, document, center
                continue
            yield g, [], document, center
            if model == "dbow_words":
                yield from ((g, [center], None, context) for context in near)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def descended(model, batch, example, params, *, mean=True):
    """The tables after the step, in float64: each row's gradient damped as the options say."""
    rows, outputs = (np.asarray(params[name], np.float64) for name in ("input", "output"))
    to_words, to_outputs = np.zeros((V, D)), np.zeros((V, D))
    to_documents = np.zeros((G, N, D))
    noise = np.asarray(example.noise)
    for g, near, document, predicted in predictions(model, batch, example):
        parts = [rows[word] for word in near]
        parts += [] if document is None else [rows[V + document]]
        share = 1 / len(parts) if mean else 1.0
        hidden = sum(parts) * share
        used = noise[g][: FEW if model == "dbow_words" and document is not None else K]
        terms = [(predicted, 1.0, 1.0), *((int(k), 0.0, NEGATIVES / len(used)) for k in used)]
        for word, label, weight in terms:
            error = weight * (sigmoid(hidden @ outputs[word]) - label)
            to_outputs[word] += error * hidden
            for other in near:
                to_words[other] += error * outputs[word] * share
            if document is not None:
                to_documents[g, document] += error * outputs[word] * share
    middle = slice(W, W + S)
    center = batch.words[:, middle]
    seen = {"dbow": center[:, :0], "dbow_words": center, "dm": batch.words}[model]
    told = batch.words if model == "dbow_words" else center

    def often(ids):
        return np.maximum(np.bincount(np.ravel(ids), minlength=V + 1)[:V], 1)[:, None]

    def damp(count):
        return np.maximum(np.sqrt(count), count / 2)

    own = batch.documents[:, middle, None] == np.arange(1, N + 1)
    own = own.sum(axis=1)[..., None]
    whole, own = np.maximum(own.sum(axis=0), 1), np.maximum(own, 1)
    factor = damp(own) * np.minimum(1, MEANS / own) / damp(whole)
    to_documents = (to_documents * factor).sum(axis=0)
    change = np.concatenate([to_words / damp(often(seen)), to_documents])
    both = np.concatenate([told, noise], axis=1)
    return rows - RATE * change, outputs - RATE * to_outputs / damp(often(both))


@pytest.mark.parametrize(("model", "mean"), [*((name, True) for name in MODELS), ("dm", False)])
def test_a_step_descends_the_per_example_losses(model, mean):
    whole = update(
        settings(model, cbow_mean=mean),
        NOISE,
        optax.constant_schedule(RATE),
        rows=range(V, V + N),
        document_means=MEANS,
    )
    state, batch = start(), text()
    example = jax.jit(whole.draw)(jax.random.key(5), batch)
    after, metrics = jax.jit(whole.take)(state, example)
    assert np.isfinite(metrics["loss"])
    expected = descended(model, batch, example, state.params, mean=mean)
    for name, table in zip(("input", "output"), expected, strict=True):
        # float32 sums of a few dozen terms of size one
        np.testing.assert_allclose(after.params[name], table, rtol=2e-5, atol=2e-6)
        assert not np.array_equal(after.params[name], state.params[name])


def test_bfloat16_of_words_changes_little():
    found = []
    for dtype in ("float32", "bfloat16"):
        whole = update(
            settings("dbow_words", dtype=dtype),
            NOISE,
            optax.constant_schedule(RATE),
            rows=range(V, V + N),
            document_means=MEANS,
        )
        found.append(jax.jit(whole)(start(), text())[0].params["input"])
    np.testing.assert_allclose(*found, atol=0.02)
    np.testing.assert_array_equal(found[0][V:], found[1][V:])  # documents stay float32


@pytest.mark.parametrize("model", ["dbow", "dm"])
def test_new_documents_move_and_words_do_not(model):
    """Groups that hold the same document at different places get the same vector."""
    rng = np.random.default_rng(2)
    words = np.full((G, S + 2 * W), V, np.int32)
    for g, length in enumerate((8, 5, 8, 3, 1)):
        words[g, W : W + length] = rng.integers(0, V, length)
    words[2] = words[0]
    numbers = np.where(words < V, np.arange(1, G + 1)[:, None], -1).astype(np.int32)
    batch = TextBatch(words, numbers)
    state = start()
    rows = state.params["input"][: V + G].at[V:].set(state.params["input"][V])
    state = state._replace(params=state.params | {"input": rows})
    whole = update_documents(
        settings(model),
        NOISE,
        optax.constant_schedule(RATE),
        rows=range(V, V + G),
        document_means=MEANS,
    )
    example = jax.jit(whole.draw)(jax.random.key(5), batch)
    np.testing.assert_array_equal(example.noise, np.tile(example.noise[:1], (G, 1)))
    after, _ = jax.jit(whole.take)(state, example)
    np.testing.assert_array_equal(after.params["output"], state.params["output"])
    np.testing.assert_array_equal(after.params["input"][:V], rows[:V])
    np.testing.assert_array_equal(after.params["input"][V], after.params["input"][V + 2])
    padded = np.concatenate([rows, np.zeros((N - G, D))])
    expected, _ = descended(model, batch, example, state.params | {"input": padded})
    np.testing.assert_allclose(after.params["input"][V:], expected[V : V + G], rtol=2e-5, atol=2e-6)
