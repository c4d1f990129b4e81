import dataclasses
import gc
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.sparse import csr_array

from jaxemb import data
from jaxemb.errors import InputError
from jaxemb.losses.glove import glove_loss
from jaxemb.methods import glove
from jaxemb.methods.glove.fit import first_squares
from jaxemb.methods.glove.step import update
from jaxemb.models import glove as model
from jaxemb.optim.rowwise import row_optimizer
from jaxemb.sampling.counted_pairs import PairStream
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import TrainState

V, D, RATE = 30, 5, 0.2
OPTIONS = glove.Options(dim=D, x_max=5.0, alpha=0.7, pieces=8, length=4)
RNG = np.random.default_rng(8)
HALF = np.triu(RNG.gamma(0.4, 8, (V, V)) * (RNG.random((V, V)) < 0.4))
COUNTS = csr_array(HALF + HALF.T)
SCHEDULE = optax.constant_schedule(RATE)
OPTIMIZER = row_optimizer("adagrad", SCHEDULE)


def step_of(options, optimizer=OPTIMIZER):
    return update(options, vocabulary=V, optimizer=optimizer, learning_rate=SCHEDULE)


UPDATE = jax.jit(step_of(OPTIONS))


def stream(pieces=OPTIONS.pieces):
    return PairStream(jax.random.key(2), COUNTS, epochs=1, pieces=pieces, length=OPTIONS.length)


def batch_of(batches, step):
    return jax.tree.map(lambda leaf: leaf[0], batches.batches(step, step + 1))


def start():
    # Larger than a run's, so that products matter beside biases.
    params = model.init(jax.random.key(1), vocabulary=V, dim=D, scale=2.0)
    state = OPTIMIZER.init(params["vectors"])
    return TrainState(jnp.zeros((), jnp.int32), jax.random.key(0), params, state)


def plain_step(table, squares, batch):
    """AdaGrad on the pairs of a step, by loops in float64; of either way of each pair."""
    gradients, losses = np.zeros_like(table), []
    for row, columns, counts in zip(*(np.asarray(part) for part in batch), strict=True):
        for column, count in zip(columns, counts, strict=True):
            if not count:
                continue
            weight = min(1.0, (float(count) / OPTIONS.x_max) ** OPTIONS.alpha)
            for one, other in ((row, column + V), (row + V, column)):
                score = table[one, :-1] @ table[other, :-1] + table[one, -1] + table[other, -1]
                error = score - np.log(float(count))
                losses.append(0.5 * weight * error**2)
                gradients[one, :-1] += weight * error * table[other, :-1]
                gradients[one, -1] += weight * error
    squares = squares + gradients**2
    return table - RATE * gradients / np.sqrt(squares + 1e-7), squares, np.mean(losses)


def test_steps_are_adagrad_on_the_papers_cost():
    state, batches = start(), stream()
    table = np.asarray(state.params["vectors"], np.float64)
    squares = np.full_like(table, 0.1)
    for step in range(3):
        batch = batch_of(batches, step)
        table, squares, loss = plain_step(table, squares, batch)
        state, metrics = UPDATE(state, batch)
        np.testing.assert_allclose(metrics["loss"], loss, rtol=1e-5)
    np.testing.assert_allclose(state.params["vectors"], table, atol=1e-5)
    assert state.step == 3


def test_an_epochs_gradients_are_those_of_all_pairs():
    """Each row has its own gradient of the sum over all pairs, as a word and as a context."""
    state = start()
    seen = {}

    def remember(table, opt_state, batch):
        ids, gradients = batch
        seen["sum"] = jnp.zeros_like(table).at[ids].add(gradients)
        return table, opt_state

    every = dataclasses.replace(OPTIONS, pieces=512)
    step_of(every, OPTIMIZER._replace(update=remember))(state, batch_of(stream(512), 0))

    dense = jnp.asarray(COUNTS.toarray(), jnp.float32)
    rows, columns = np.divmod(np.arange(V * V), V)

    def total(table):
        words, contexts = table[rows], table[columns + V]
        return glove_loss(
            words[:, :-1],
            contexts[:, :-1],
            words[:, -1],
            contexts[:, -1],
            dense.reshape(-1),
            x_max=OPTIONS.x_max,
            alpha=OPTIONS.alpha,
        ).sum()

    expected = jax.jit(jax.grad(total))(state.params["vectors"])
    np.testing.assert_allclose(seen["sum"], expected, rtol=1e-4, atol=1e-4)


def test_the_number_of_parts_changes_no_result():
    batch, states = batch_of(stream(), 0), []
    for parts in (1, 8):
        step = update(
            OPTIONS, vocabulary=V, optimizer=OPTIMIZER, learning_rate=SCHEDULE, parts=parts
        )
        states.append(jax.jit(step)(start(), batch)[0])
    np.testing.assert_array_equal(*(state.params["vectors"] for state in states))


def test_only_rows_of_the_step_change():
    state = start()
    before = np.asarray(state.params["vectors"])
    batch = batch_of(stream(), 0)
    after, metrics = UPDATE(state, batch)
    changed = np.flatnonzero((np.asarray(after.params["vectors"]) != before).any(axis=1))
    rows = np.asarray(batch.rows)[np.asarray(batch.counts).any(axis=1)]
    assert set(changed) == {*rows, *(rows + V)}
    assert set(metrics) == {"loss", "learning_rate"}


@pytest.fixture(scope="module")
def text():
    """Words of three topics, in sentences of one each."""
    rng = np.random.default_rng(0)
    topics = rng.integers(3, size=400)
    lines = [[f"t{topic}w{i}" for i in rng.zipf(1.5, 8) % 7] for topic in topics]
    return data.from_tokens(lines, min_count=1)


SMALL = glove.Options(dim=4, window=3, epochs=3, x_max=20, pieces=8, length=5)


@pytest.fixture(scope="module")
def counts(text):
    return glove.count(text, SMALL)


@pytest.fixture(scope="module")
def fitted(text, counts):
    return glove.fit(jax.random.key(7), text, SMALL, counts=counts)


def test_a_loop_of_ones_own_gives_the_same_bits(text, counts, fitted):
    training = glove.start(7, text, SMALL, counts=counts)
    state, step = training.state, jax.jit(training.update)
    for number in range(training.steps):
        state, metrics = step(state, training.batch(number))
    own = training.finish(state)
    np.testing.assert_array_equal(own.params["vectors"], fitted.params["vectors"])
    np.testing.assert_array_equal(own.vectors.vectors, fitted.vectors.vectors)
    assert float(metrics["loss"]) == fitted.history.loss[-1]


def test_what_comes_out(text, counts, fitted):
    words, contexts = np.split(fitted.params["vectors"], 2)
    np.testing.assert_allclose(fitted.vectors.vectors, (words + contexts)[:, :-1], rtol=1e-6)
    assert list(fitted.vectors.words) == text.vocabulary.words
    assert fitted.pairs == counts.nnz
    assert fitted.options == SMALL
    assert fitted.history.stopped_because == "done"
    assert fitted.history.steps == len(fitted.history.loss)


def test_text_is_counted_on_the_way(text, fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = glove.fit(7, text, SMALL, run=Run(progress=False))
    np.testing.assert_array_equal(found.vectors.vectors, fitted.vectors.vectors)
    # Nothing is left of the counting.
    gc.collect()
    assert not list(tmp_path.iterdir())


# Another memory counts in other pieces, to the same sums.
SPEED_ALONE = {"memory_limit": 900}
CHANGES = {
    "dim": 5,
    "window": 2,
    "weighting": "flat",
    "epochs": 2,
    "x_max": 10.0,
    "alpha": 0.5,
    "learning_rate": 0.5,
    "first_squares": 1.0,
    "init_scale": 0.25,
    "pieces": 4,
    "length": 3,
}


def test_every_field_is_tried():
    names = {field.name for field in dataclasses.fields(glove.Options)}
    assert names == CHANGES.keys() | SPEED_ALONE.keys()


def what_is_computed(text, options):
    """A training's start, program and first batches: what fixes its result, without compiling."""
    training = glove.start(7, text, options)
    program = jax.make_jaxpr(training.update)(training.state, training.batch(0))
    state = training.state._replace(key=None)
    numbers = [state, training.batches(0, 3), program.consts]
    return (training.steps, str(program.jaxpr), *map(np.asarray, jax.tree.leaves(numbers)))


@pytest.fixture(scope="module")
def before(text):
    return what_is_computed(text, SMALL)


@pytest.mark.parametrize("name", [*CHANGES, *SPEED_ALONE])
def test_each_field_changes_what_is_computed_or_speed_alone(text, before, name):
    options = dataclasses.replace(SMALL, **{name: (CHANGES | SPEED_ALONE)[name]})
    found = what_is_computed(text, options)
    same = len(found) == len(before) and all(map(np.array_equal, found, before))
    assert same == (name in SPEED_ALONE)


def test_wide_vectors_learn_slower_by_default():
    assert [glove.Options(dim=dim).rate for dim in (50, 100, 400)] == [1, 1, 0.25]
    assert glove.Options(dim=400, learning_rate=2.0).rate == 2


def test_other_weights_learn_alike_by_default(text, counts):
    """Pairs below both x_max have gradients larger by a factor, which AdaGrad then divides by."""
    assert glove.Options().squares == 3
    factor = 4.0**0.7
    vectors = []
    for x_max in (4 * 5.0, 5.0):
        # No pair reaches x_max.
        few = csr_array(counts) * (4.9 / counts.max())
        options = dataclasses.replace(OPTIONS, x_max=x_max, epochs=1)
        vectors.append(glove.fit(0, text, options, counts=few).vectors.vectors)
    assert glove.Options(x_max=25).squares == pytest.approx(3 * 4**1.5)
    assert factor**2 * dataclasses.replace(OPTIONS, x_max=20.0).squares == pytest.approx(
        OPTIONS.squares
    )
    np.testing.assert_allclose(vectors[0], vectors[1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("dim", "x_max"), [(25, 5.0), (25, 200.0), (100, 100.0), (300, 10.0)])
def test_defaults_hold_over_the_usual_range(dim, x_max):
    """Counts to far above x_max, as those of a corpus' frequent words are."""
    rng = np.random.default_rng(0)
    topics = rng.integers(5, size=3000)
    lines = [[f"t{topic}w{i}" for i in rng.zipf(1.5, 12) % 40] for topic in topics]
    text = data.from_tokens(lines, min_count=1)
    options = glove.Options(dim=dim, x_max=x_max, epochs=20)
    fitted = glove.fit(0, text, options)
    topic = np.array([int(word[1]) for word in fitted.vectors.words])
    loss = fitted.history.loss
    assert loss[-20:].mean() < loss[0] / 2
    assert loss.max() < 2 * loss[0]
    vectors = fitted.vectors.unit().vectors
    near = (vectors @ vectors.T - 2 * np.eye(len(vectors))).argmax(axis=1)
    assert (topic[near] == topic).mean() > 0.6


def test_frequent_words_begin_with_the_squares_of_their_weights():
    options, frequent = glove.Options(length=10), csr_array(COUNTS * 5)
    weights = np.minimum(1, (frequent.toarray() / 100) ** 0.75)
    steps = np.ceil((frequent.toarray() > 0).sum(axis=1) / 10)
    expected = np.maximum(3, (weights.sum(axis=1) / steps) ** 2)
    assert 0 < (expected > 3).sum() < V
    np.testing.assert_allclose(first_squares(frequent, options), expected, rtol=1e-6)
    fixed = dataclasses.replace(options, first_squares=7.0)
    np.testing.assert_array_equal(first_squares(COUNTS, fixed), np.full(V, 7.0))


def test_training_brings_the_cost_down_and_no_table_is_copied(text, counts):
    options = dataclasses.replace(SMALL, dim=6, epochs=60)
    training = glove.start(0, text, options, counts=counts)
    call = loop.compile_steps(training.update, training.state, training.batches(0, 8))
    program, table = call.take.as_text(), f"f32[{2 * len(text.vocabulary)},7]"
    assert table in program  # or the next line would look for the wrong thing
    assert [line for line in program.splitlines() if " copy(" in line and table in line] == []
    history = loop.fit(training, Run(progress=False)).history
    assert history.loss[-20:].mean() < history.loss[:20].mean() / 4
    # Small vectors cost about as much as zeros; a step has some of the pairs.
    assert history.loss[0] == pytest.approx(training.chance_loss, rel=0.5)


def test_the_loss_of_zeros_is_the_mean_over_pairs(monkeypatch):
    monkeypatch.setattr(sys.modules["jaxemb.methods.glove.fit"], "_BLOCK", 100)
    options = glove.Options(x_max=20.0, alpha=0.5)
    expected = np.mean(
        [0.5 * min(1, (count / 20) ** 0.5) * np.log(count) ** 2 for count in COUNTS.data]
    )
    assert glove.loss_of_zeros(COUNTS, options) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dim": 1}, "dim must be at least 2"),
        ({"window": 41}, "window must be at least 1 and at most 40, found 41"),
        ({"window": 2.5}, "window must be a whole number, found 2.5"),
        ({"x_max": float("nan")}, "x_max must be more than 0"),
        ({"weighting": "linear"}, "weighting must be 'harmonic', 'flat', found 'linear'"),
        ({"pieces": 6}, "pieces must be a multiple of 4, found 6"),
        ({"learning_rate": 0.0}, "learning_rate must be more than 0"),
        ({"memory_limit": 0}, "memory_limit must be at least 1"),
    ],
)
def test_bad_options(fields, message):
    with pytest.raises(InputError, match=message):
        glove.Options(**fields)


def test_bad_texts_and_counts(text):
    with pytest.raises(InputError, match="no more than a window of 10 "):
        glove.check(data.from_tokens([["a", "b"]] * 4, min_count=1))
    with pytest.raises(InputError, match="memory_limit of 1.0 MB is too small to count in"):
        glove.check(text, glove.Options(memory_limit=1))
    with pytest.raises(InputError, match="counts must be of 21 x 21 words, .* found 30 x 30"):
        glove.start(0, text, counts=COUNTS)
