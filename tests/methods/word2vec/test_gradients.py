"""Every objective and model: a step is the gradient of the per-example loss of all its pairs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.full_softmax import full_softmax_loss
from jaxemb.losses.hierarchical_softmax import hierarchical_softmax_loss
from jaxemb.losses.nce import nce_loss
from jaxemb.losses.negative_sampling import negative_sampling_loss
from jaxemb.losses.sampled_softmax import sampled_softmax_loss
from jaxemb.methods.word2vec.objectives import OBJECTIVES
from jaxemb.methods.word2vec.settings import Settings
from jaxemb.methods.word2vec.step import update
from jaxemb.models import word2vec as model
from jaxemb.models.huffman import huffman_tree
from jaxemb.optim.rowwise import row_optimizer
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.text import TextBatch
from jaxemb.training import loop
from jaxemb.training.state import TrainState

# No other array of a step has shapes such as the tables'.
V, D, G, S, B, W, K, NEGATIVES, RATE = 61, 6, 16, 4, 2, 2, 3, 5.0, 0.05
COUNTS = np.arange(2 * V, V, -1) ** 2
MODELS = ("skipgram", "cbow")
NOISE = noise_distribution(COUNTS, power=0.75)
TREE = huffman_tree(COUNTS)


each = pytest.mark.parametrize(
    ("objective", "name"), [(objective, name) for objective in OBJECTIVES for name in MODELS]
)


@functools.cache
def make(objective, name, mean, **fields):
    """The functions that draw and take a step, compiled once for all tests."""
    whole, rows = step_of(objective, name, mean, **fields)
    return jax.jit(whole.draw), jax.jit(whole.take), rows


def step_of(objective, name, mean, **fields):
    """In parts a step takes ten times as long to compile, and test_step.py does that."""
    shape = {"groups": G, "size": S, "block": B, "noise": K, "parts": 1}
    step = Settings(name, W, NEGATIVES, mean, **shape, **fields)
    rows = row_optimizer("sgd", optax.constant_schedule(RATE))
    some = OBJECTIVES[objective]
    source = some.source(step, COUNTS, 0.75)
    return update(step, some, source, rows, optax.constant_schedule(RATE)), rows


@functools.cache
def tables(objective, seed=None):
    """As training starts, or all random."""
    params = model.init(jax.random.key(0), vocabulary=V, dim=D)
    params = OBJECTIVES[objective].init(params, COUNTS)
    if seed is None:
        return params
    rng = np.random.default_rng(seed)
    return {
        name: np.float32(table + rng.normal(size=table.shape)) for name, table in params.items()
    }


def start(params, rows):
    opt_state = {name: rows.init(table) for name, table in params.items()}
    return TrainState(jnp.zeros((), jnp.int32), jax.random.key(1), params, opt_state)


def text(seed=0):
    rng = np.random.default_rng(seed)
    shape = (G, S + 2 * W)
    documents = np.sort(rng.integers(0, 3, shape), axis=-1)
    words = rng.zipf(1.3, shape) % V
    # the last group ends with the text
    documents[-1, -3:], words[-1, -3:] = -1, V
    return TextBatch(words.astype(np.int32), documents.astype(np.int32))


def predictions(objective, name, batch, example):
    """All (group, place in it, words that predict, word that is predicted), by the windows."""
    found = []
    for g in range(G):
        for s in range(S):
            near = [
                s + W + offset
                for offset in range(-int(example.left[g, s]), int(example.right[g, s]) + 1)
                if offset
            ]
            words, center = batch.words[g], int(batch.words[g, s + W])
            if name == "skipgram" and objective == "hierarchical_softmax":
                found += [(g, s, [int(words[c])], center) for c in near]
            elif name == "skipgram":
                found += [(g, s, [center], int(words[c])) for c in near]
            elif near:
                found.append((g, s, [int(words[c]) for c in near], center))
    return found


def losses(objective, params, example, found, mean):
    """The per-example loss of each prediction, [B], and what the noise words' part counts."""
    weights = np.zeros((len(found), V), np.float32)
    for i, (_, _, words, _) in enumerate(found):
        np.add.at(weights[i], words, 1 / len(words) if mean else 1)
    hidden = jnp.matmul(weights, params["input"], precision=jax.lax.Precision.HIGHEST)
    groups = np.array([g for g, _, _, _ in found])
    target = np.array([word for _, _, _, word in found])
    outputs = params["output"]
    if objective == "hierarchical_softmax":
        nodes = np.minimum(TREE.nodes[target], V - 2)
        return hierarchical_softmax_loss(hidden, outputs[nodes], jnp.asarray(TREE.codes[target]))
    if objective != "negative_sampling":
        hidden = jnp.concatenate([hidden, jnp.ones((len(hidden), 1))], axis=1)
    if objective == "full_softmax":
        return full_softmax_loss(hidden, outputs, jnp.asarray(target))
    noise = np.asarray(example.outputs)[:, -K:] if objective == "sampled_softmax" else example.noise
    noise = np.asarray(noise)[groups]
    q = np.asarray(NOISE.probability)
    if objective == "sampled_softmax":
        return sampled_softmax_loss(
            hidden,
            outputs[target],
            outputs[noise],
            context_expected=jnp.log(K * q[target]),
            noise_expected=jnp.log(K * q[noise]),
        )

    def loss(where):
        if objective == "negative_sampling":
            return negative_sampling_loss(hidden, outputs[target], outputs[noise], where=where)
        return nce_loss(
            hidden,
            outputs[target],
            outputs[noise],
            context_expected=jnp.log(NEGATIVES * q[target]),
            noise_expected=jnp.log(NEGATIVES * q[noise]),
            where=where,
        )

    # K shared words stand for as many as a prediction has.
    observed = loss(jnp.zeros(noise.shape, bool))
    return observed + NEGATIVES / K * (loss(None) - observed)


@pytest.mark.parametrize(
    ("objective", "name", "mean"),
    [(objective, name, True) for objective in OBJECTIVES for name in MODELS]
    # What comes before the scores is the same for all.
    + [("hierarchical_softmax", "cbow", False)],
)
def test_a_step_descends_the_per_example_losses(objective, name, mean):
    draw, take, rows = make(objective, name, mean)
    params, batch = tables(objective, seed=3), text()
    example = draw(jax.random.key(5), batch)
    found = predictions(objective, name, batch, example)
    assert found
    after, metrics = take(start(params, rows), example)

    @jax.jit
    def traced(params):
        terms, back = jax.vjp(lambda p: losses(objective, p, example, found, mean), params)
        return terms, back(jnp.ones(len(found)))[0]

    terms, gradient = jax.tree.map(np.asarray, traced(params))
    centers = batch.words[:, W : W + S]
    predicting, predicted = (centers, batch.words)[:: 1 if name == "skipgram" else -1]
    if objective == "hierarchical_softmax":
        predicting, predicted = batch.words, example.outputs
    elif objective == "sampled_softmax":
        predicted = example.outputs
    ids = {"input": [predicting], "output": [predicted, example.noise]}
    for table, some in ids.items():
        every = np.concatenate([np.asarray(array, np.int32).ravel() for array in some])
        count = np.maximum(np.bincount(every, minlength=V)[: len(params[table])], 1)
        # No more than twice the mean.
        factor = np.minimum(1 / np.sqrt(count), 2 / count)
        assert (count > 4).any()
        expected = -RATE * gradient[table] * factor[:, None]
        np.testing.assert_allclose(
            after.params[table] - params[table], expected, rtol=1e-4, atol=2e-6
        )
        assert abs(expected).max() > 0.01
    if objective != "full_softmax":  # which measures all
        terms = terms[[s == 0 for _, s, _, _ in found]]
    assert float(metrics["loss"]) == pytest.approx(terms.mean(), rel=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_rows_of_bfloat16_make_nearly_the_same_step(name):
    params, batch = tables("negative_sampling", seed=3), text()
    changes = []
    for dtype in ("float32", "bfloat16"):
        draw, take, rows = make("negative_sampling", name, True, dtype=dtype)
        after, _ = take(start(params, rows), draw(jax.random.key(5), batch))
        assert {table.dtype for table in after.params.values()} == {jnp.dtype(jnp.float32)}
        changes.append({table: after.params[table] - params[table] for table in params})
    for exact, rounded in zip(*(tree.values() for tree in changes), strict=True):
        error = np.linalg.norm(rounded - exact) / np.linalg.norm(exact)
        assert 0 < error < 2**-8


@each
def test_words_beyond_the_text_touch_nothing(objective, name):
    draw, take, rows = make(objective, name, True)
    params = tables(objective, seed=3)
    shape = (G, S + 2 * W)
    batch = TextBatch(np.full(shape, V, np.int32), np.full(shape, -1, np.int32))
    after, metrics = take(start(params, rows), draw(jax.random.key(5), batch))
    for table, before in params.items():
        np.testing.assert_array_equal(after.params[table], before)
    assert float(metrics["loss"]) == 0


@each
def test_training_starts_at_the_loss_of_guessing(objective, name):
    draw, take, rows = make(objective, name, True)
    state = start(tables(objective), rows)
    batch = text()
    example = draw(jax.random.key(5), batch)
    _, metrics = take(state, example)
    share = COUNTS / COUNTS.sum()
    q = np.asarray(NOISE.probability, np.float64)
    # Zero output vectors: scores are the biases, logs of the words' shares, or zeros.
    target = np.array([w for _, s, _, w in predictions(objective, name, batch, example)])
    first = np.array([s == 0 for _, s, _, _ in predictions(objective, name, batch, example)])
    if objective == "hierarchical_softmax":
        expected = np.log(2) * (TREE.codes[target[first]] != 0).sum(axis=1).mean()
    elif objective == "full_softmax":
        expected = -np.log(share[target]).mean()
    elif objective == "negative_sampling":
        expected = (1 + NEGATIVES) * np.log(2)
    else:
        # within what the noise words drawn make of it
        ratio = share / q
        k = K if objective == "sampled_softmax" else NEGATIVES
        own = np.log1p(k / ratio[target[first]]).mean()
        noise = 0 if objective == "sampled_softmax" else k * (q * np.log1p(ratio / k)).sum()
        assert float(metrics["loss"]) == pytest.approx(own + noise, rel=0.1)
        return
    assert float(metrics["loss"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("objective", "name"),
    [("nce", "skipgram"), ("sampled_softmax", "cbow"), ("hierarchical_softmax", "skipgram")],
)
def test_no_table_is_copied_inside_the_loop(objective, name):
    """But for full softmax, which changes every row anyway."""
    whole, rows = step_of(objective, name, True)
    state = start(tables(objective), rows)
    batches = jax.tree.map(lambda leaf: np.stack([leaf] * 3), text())
    program = loop.compile_steps(whole, state, batches).take.as_text()
    for table in state.params.values():
        shape = f"f32[{table.shape[0]},{table.shape[1]}]"
        assert shape in program  # or the test would look for the wrong thing
        copies = [line for line in program.splitlines() if " copy(" in line and shape in line]
        assert copies == []


@pytest.mark.parametrize("objective", ["nce", "sampled_softmax"])
def test_noise_of_probability_zero_is_refused(objective):
    message = r"word 1, and 1 others, have probability 0 .* noise_power"
    with pytest.raises(InputError, match=message):
        OBJECTIVES[objective].source(Settings("skipgram", W), np.array([10**9, 10, 1]), 6)
