import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.sparse import csr_array

from jaxemb.losses.glove import glove_loss
from jaxemb.methods.glove import step as training
from jaxemb.models import glove as model
from jaxemb.optim.rowwise import row_optimizer
from jaxemb.sampling.counted_pairs import PairStream
from jaxemb.training import before_loop as loop
from jaxemb.training.state import TrainState

V, D, RATE = 30, 5, 0.2
STEP = training.Step(x_max=5.0, alpha=0.7, pieces=8, length=4)
RNG = np.random.default_rng(8)
HALF = np.triu(RNG.gamma(0.4, 8, (V, V)) * (RNG.random((V, V)) < 0.4))
COUNTS = csr_array(HALF + HALF.T)
SCHEDULE = optax.constant_schedule(RATE)
OPTIMIZER = row_optimizer("adagrad", SCHEDULE)
UPDATE = jax.jit(training.update(STEP, OPTIMIZER, SCHEDULE))
PREPARE = training.prepare(vocabulary=V)


def stream(pieces=STEP.pieces, epochs=1):
    return PairStream(jax.random.key(2), COUNTS, epochs=epochs, pieces=pieces, length=STEP.length)


def start():
    # Larger than a run's, so that products matter beside biases.
    params = jax.tree.map(lambda leaf: 4 * leaf, model.init(jax.random.key(1), vocabulary=V, dim=D))
    state = OPTIMIZER.init(params["vectors"])
    return TrainState(jnp.zeros((), jnp.int32), jax.random.key(0), params, state)


def example(batches, step):
    return PREPARE(
        jax.random.key(0), jax.tree.map(lambda leaf: leaf[0], batches.batches(step, step + 1))
    )


def plain_step(table, squares, batch):
    """AdaGrad on the pairs of a step, by loops in float64; of either way of each pair."""
    gradients, losses = np.zeros_like(table), []
    for row, columns, counts in zip(*(np.asarray(part) for part in batch), strict=True):
        for column, count in zip(columns, counts, strict=True):
            if not count:
                continue
            weight = min(1.0, (float(count) / STEP.x_max) ** STEP.alpha)
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
        batch = jax.tree.map(lambda leaf: leaf[0], batches.batches(step, step + 1))
        table, squares, loss = plain_step(table, squares, batch)
        state, metrics = UPDATE(state, example(batches, step))
        np.testing.assert_allclose(metrics["loss"], loss, rtol=1e-5)
    np.testing.assert_allclose(state.params["vectors"], table, atol=1e-5)
    assert state.step == 3


def test_an_epochs_gradients_are_those_of_all_pairs():
    """Each row has its own gradient of the sum over all pairs, as a word and as a context."""
    state = start()
    everything = PREPARE(
        jax.random.key(0), jax.tree.map(lambda leaf: leaf[0], stream(512).batches(0, 1))
    )
    seen = {}

    def remember(table, opt_state, batch):
        ids, gradients = batch
        seen["sum"] = jnp.zeros_like(table).at[ids].add(gradients)
        return table, opt_state

    optimizer = OPTIMIZER._replace(update=remember)
    training.update(STEP._replace(pieces=512), optimizer, SCHEDULE)(state, everything)

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
            x_max=STEP.x_max,
            alpha=STEP.alpha,
        ).sum()

    expected = jax.jit(jax.grad(total))(state.params["vectors"])
    np.testing.assert_allclose(seen["sum"], expected, rtol=1e-4, atol=1e-4)


def test_only_rows_of_the_step_change():
    state = start()
    before = np.asarray(state.params["vectors"])
    taken = example(stream(), 0)
    after, metrics = UPDATE(state, taken)
    changed = np.flatnonzero((np.asarray(after.params["vectors"]) != before).any(axis=1))
    assert set(changed) == set(np.asarray(taken.rows)[np.asarray(taken.counts).any(axis=1)])
    assert set(metrics) == {"loss", "learning_rate"}


def test_training_brings_the_cost_down_and_no_table_is_copied():
    batches = stream(epochs=40)
    steps = int(batches.epoch_steps.sum())
    call = loop.compile_steps(
        PREPARE, training.update(STEP, OPTIMIZER, SCHEDULE), start(), batches.batches(0, 64)
    )
    program, table = call.take.as_text(), f"f32[{2 * V},{D + 1}]"
    assert table in program  # or the next line would look for the wrong thing
    assert [line for line in program.splitlines() if " copy(" in line and table in line] == []
    losses = []
    outcome = loop.train(
        start(),
        call,
        batches.batches,
        steps=steps,
        call_steps=64,
        checkpoints=None,
        checkpoint_every=0,
        report=lambda done, metrics, seconds: losses.append(metrics["loss"].mean()),
    )
    assert losses[-1] < losses[0] / 4
    found = model.vectors(outcome.state.params)
    words, contexts = np.split(np.asarray(outcome.state.params["vectors"]), 2)
    np.testing.assert_allclose(found, words[:, :-1] + contexts[:, :-1], rtol=1e-6)
