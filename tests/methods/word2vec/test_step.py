import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.methods.word2vec.objectives import OBJECTIVES
from jaxemb.methods.word2vec.settings import Settings
from jaxemb.methods.word2vec.step import damping, update
from jaxemb.models import word2vec as model
from jaxemb.optim.rowwise import row_optimizer
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.text import TextBatch
from jaxemb.training import loop
from jaxemb.training.state import TrainState, Update

V, D = 3001, 20  # no other array of a step has such shapes
COUNTS = np.arange(V, 0, -1)
MODELS = ["skipgram", "cbow"]
OBJECTIVE = OBJECTIVES["negative_sampling"]
NOISE = noise_distribution(COUNTS, power=0.75)


def make(name, optimizer="sgd", *, parts=2, **fields):
    """In eight parts a step takes three times as long to compile."""
    step = Settings(name, window=3, groups=16, size=8, block=4, noise=6, parts=parts, **fields)
    schedule = optax.linear_schedule(0.05, 0.01, 30)
    rows = row_optimizer(optimizer, schedule)
    return step, update(step, OBJECTIVE, NOISE, rows, schedule), rows


@functools.cache
def made(name, mean=True):
    """The same for plain SGD, compiled once for all tests."""
    step, whole, rows = make(name, cbow_mean=mean)
    return step, jax.jit(whole.draw), jax.jit(whole.take), rows


def start(rows):
    params = model.init(jax.random.key(0), vocabulary=V, dim=D)
    opt_state = {name: rows.init(table) for name, table in params.items()}
    return TrainState(jnp.zeros((), jnp.int32), jax.random.key(1), params, opt_state)


def text(step, steps, seed=0):
    rng = np.random.default_rng(seed)
    shape = (steps, step.groups, step.size + 2 * step.window)
    words = rng.zipf(1.3, shape) % V
    documents = np.sort(rng.integers(0, 4, shape), axis=-1)
    return TextBatch(words.astype(np.int32), documents.astype(np.int32))


def one(batches, i):
    return TextBatch(batches.words[i], batches.documents[i])


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize("name", MODELS)
def test_no_table_is_copied_inside_the_loop(name, optimizer):
    step, whole, rows = make(name, optimizer, parts=8)
    state, batches = start(rows), text(step, 4)
    if optimizer != "sgd":
        # What is drawn before the loop takes half of the time to compile: once is enough.
        example = made(name)[1](jax.random.key(5), one(batches, 0))
        batches = jax.tree.map(lambda leaf: np.stack([leaf] * 4), example)
        whole = Update(lambda key, batch: batch, whole.take)
    program = loop.compile_steps(whole, state, batches).take.as_text()
    table = f"f32[{V},{D}]"
    assert table in program  # or the test would look for the wrong thing
    copies = [line for line in program.splitlines() if " copy(" in line and table in line]
    assert copies == []


def test_a_copied_table_would_be_found():
    """Two scatters and a gather between them are what the test above is against."""

    def take(state, example):
        table = state.params["input"]
        first = table.at[example].add(1.0)
        second = table.at[example + 1].add(first[example])
        params = state.params | {"input": first + second}
        return state._replace(step=state.step + 1, params=params), {}

    state = start(make("skipgram")[2])
    program = loop.compile_steps(
        Update(lambda key, batch: batch, take), state, np.zeros((4, 8), np.int32)
    ).take.as_text()
    assert [line for line in program.splitlines() if " copy(" in line and f"f32[{V},{D}]" in line]


@pytest.mark.parametrize("name", MODELS)
def test_a_step_is_traced_once_and_changes_only_its_rows(name):
    step, draw, take, rows = made(name)
    state, batches = start(rows), text(step, 10)
    # The output table starts with zeros, so that the first step leaves the input table alone.
    state, _ = take(state, draw(jax.random.key(9), one(batches, 9)))
    before = jax.tree.map(np.asarray, state.params)
    example = draw(jax.random.key(5), one(batches, 0))
    after, metrics = take(state, example)
    for table, ids in (
        ("input", example.inputs),
        ("output", np.concatenate([example.outputs, example.noise], axis=1)),
    ):
        changed = (np.asarray(after.params[table]) != before[table]).any(axis=1)
        assert changed.any()
        assert set(np.flatnonzero(changed)) <= set(np.asarray(ids).ravel().tolist())
    assert set(metrics) == {"loss", "learning_rate"}
    assert (draw._cache_size(), take._cache_size()) == (1, 1)


@pytest.mark.parametrize("name", MODELS)
def test_loss_starts_at_that_of_zero_vectors(name):
    step, draw, take, rows = made(name)
    _, metrics = take(start(rows), draw(jax.random.key(5), one(text(step, 1), 0)))
    # One observed and five noise words, each a coin toss.
    assert float(metrics["loss"]) == pytest.approx(6 * np.log(2), rel=1e-4)


@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_a_step_descends_the_summed_loss(name, mean):
    """Of one word a group, repeated: the loss of the very same predictions falls."""
    step, draw, take, rows = made(name, mean)
    state, batch = start(rows), one(text(step, 1), 0)
    losses = []
    example = draw(jax.random.key(5), batch)
    for _ in range(200):
        state, metrics = take(state, example)
        losses.append(float(metrics["loss"]))
    assert losses[-1] < 0.7 * losses[0]


def test_words_beyond_the_text_touch_nothing():
    step, draw, take, rows = made("skipgram")
    state = start(rows)
    shape = (step.groups, step.size + 2 * step.window)
    batch = TextBatch(np.full(shape, V, np.int32), np.full(shape, -1, np.int32))
    after, metrics = take(state, draw(jax.random.key(5), batch))
    for table, before in state.params.items():
        np.testing.assert_array_equal(after.params[table], before)
    assert float(metrics["loss"]) == 0


def test_a_rows_gradient_is_damped_by_its_count():
    step, draw, take, rows = made("skipgram")
    batch = one(text(step, 1), 0)
    example = draw(jax.random.key(5), batch)
    state = start(rows)
    after, _ = take(state, example)
    # From zero output vectors every score is zero: the gradient with respect to the output row of
    # a context is minus half the sum of its centers' input vectors, of noise plus a share of it.
    vectors = np.asarray(state.params["input"], np.float64)[np.asarray(example.inputs)]
    left, right = np.asarray(example.left), np.asarray(example.right)
    expected = np.zeros((V, D))
    for g in range(step.groups):
        for s in range(step.size):
            for offset in range(-left[g, s], right[g, s] + 1):
                if offset:
                    expected[batch.words[g, s + 3 + offset]] -= 0.5 * vectors[g, s]
            share = (left[g, s] + right[g, s]) * step.negatives / step.noise
            for word in np.asarray(example.noise[g]):
                expected[word] += 0.5 * share * vectors[g, s]
    seen = np.concatenate([batch.words.ravel(), np.asarray(example.noise).ravel()])
    counts = np.maximum(np.bincount(seen, minlength=V), 1)
    assert (counts > 4).any()
    expected *= -0.05 * np.minimum(1 / np.sqrt(counts), 2 / counts)[:, None]
    np.testing.assert_allclose(after.params["output"], expected, rtol=1e-4, atol=1e-7)


def test_a_step_whose_loss_is_not_finite_changes_nothing():
    step, draw, take, rows = made("skipgram")
    state, batch = start(rows), one(text(step, 1), 0)
    example = draw(jax.random.key(5), batch)
    first = int(example.inputs[0, 0])  # of a word whose loss is measured
    state.params["input"] = state.params["input"].at[first].set(jnp.nan)
    after, metrics = take(state, example)
    assert np.isnan(metrics["loss"])
    for table, before in state.params.items():
        np.testing.assert_array_equal(after.params[table], before)


@pytest.mark.parametrize(
    ("power", "most", "expected"),
    [
        (0.5, 2.0, [1, 2, 4.5, 32]),  # the root of the count, or half of it if that is more
        (0.0, np.inf, [1, 1, 1, 1]),  # the paper's plain sum
        (1.0, np.inf, [1, 4, 9, 64]),
        (0.25, 4.0, [1, 2**0.5, 9 / 4, 16]),
    ],
)
def test_damping_is_a_power_of_the_count_with_a_limit(power, most, expected):
    step = Settings("skipgram", 3, damping=power, most_means=most)
    found = damping(step, jnp.array([0, 4, 9, 64]))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
