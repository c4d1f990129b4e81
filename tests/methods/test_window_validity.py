import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.losses.window_validity import window_logistic_loss, window_ranking_loss
from jaxemb.methods.window_validity.step import Step, init, prepare, scores, update
from jaxemb.models import window_scorer
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.text import TextBatch
from jaxemb.training import before_loop as loop
from jaxemb.training.state import TrainState

V, D = 3001, 20  # no other array of a step has such shapes
STEP = Step(window=5, place=1, noise=6, groups=4, size=8)
# Few words, so that a random word often is the real one.
NOISE = noise_distribution(np.where(np.arange(V) < 5, 1000, 0), power=1.0)


def start():
    params = window_scorer.init(jax.random.key(0), vocabulary=V, dim=D, window=5, hidden=9)
    return TrainState(jnp.zeros((), jnp.int32), jax.random.key(1), params, init(params))


def text(steps):
    rng = np.random.default_rng(0)
    shape = (steps, STEP.groups, STEP.size + 4)
    words = rng.zipf(1.5, shape) % V
    documents = np.sort(rng.integers(-1, 2, shape), axis=-1)
    return TextBatch(words.astype(np.int32), documents.astype(np.int32))


draw = jax.jit(prepare(STEP, NOISE))


@pytest.fixture(scope="module")
def example():
    return draw(jax.random.key(5), TextBatch(*(leaf[0] for leaf in text(1))))


def test_windows_and_their_random_words(example):
    params = start().params
    vectors = params["words"][example.ids]
    found = jax.jit(scores, static_argnums=0)(STEP, params["scorer"], vectors, example)
    found = jax.tree.map(np.asarray, found)
    batch = text(1)
    words, documents = batch.words[0], batch.documents[0]
    drawn = np.asarray(example.ids[:, -6:])
    assert drawn.max() < 5
    np.testing.assert_array_equal(example.ids[:, :-6], words)
    scorer = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params["scorer"])
    table = np.asarray(params["words"], np.float64)

    def validity(ids):
        hidden = table[ids].reshape(-1) @ scorer["kernel"] + scorer["bias"]
        return np.maximum(hidden, 0) @ scorer["output"] + scorer["output_bias"]

    for g in range(4):
        for s in range(8):
            row, window = 8 * g + s, words[g, s : s + 5].copy()
            inside = set(documents[g, s : s + 5].tolist())
            whole = len(inside) == 1 and inside != {-1}
            np.testing.assert_allclose(found.real[row], validity(window), rtol=1e-4, atol=1e-5)
            for k in range(6):
                assert found.where[row, k] == (whole and drawn[g, k] != words[g, s + 1])
                window[1] = drawn[g, k]
                expected = validity(window)
                np.testing.assert_allclose(found.switched[row, k], expected, rtol=1e-4, atol=1e-5)
    # Or the test would not see what it is to see.
    assert 0 < found.where.mean() < 1


@pytest.mark.parametrize("loss", ["logistic", "ranking"])
def test_a_step_is_adam_of_the_mean_loss(example, loss):
    step = STEP._replace(loss=loss, margin=0.7)
    state = start()
    after, metrics = jax.jit(update(step, optax.constant_schedule(0.01)))(state, example)

    def mean(params):
        found = scores(step, params["scorer"], params["words"][example.ids], example)
        if loss == "logistic":
            losses = window_logistic_loss(found.real, found.switched, where=found.where)
        else:
            losses = window_ranking_loss(found.real, found.switched, margin=0.7, where=found.where)
        return losses.sum() / found.where.any(axis=1).sum()

    expected, gradient = jax.jit(jax.value_and_grad(mean))(state.params)
    assert float(metrics["loss"]) == pytest.approx(float(expected), rel=1e-5)
    assert float(metrics["learning_rate"]) == pytest.approx(0.01)

    def adam(before, gradient):
        # Adam's first step: the gradient over its size.
        gradient = np.asarray(gradient, np.float64)
        return np.asarray(before) - 0.01 * gradient / (np.abs(gradient) + 1e-8)

    expected = jax.tree.map(adam, state.params, gradient)
    jax.tree.map(
        # A gradient near 0 is a rounding error over itself.
        lambda found, right: np.testing.assert_allclose(found, right, rtol=1e-3, atol=2e-3),
        after.params,
        expected,
    )
    touched = np.unique(example.ids)
    changed = np.flatnonzero((after.params["words"] != state.params["words"]).any(axis=1))
    assert set(changed) <= set(touched.tolist())
    assert changed.size > 5


def test_training_descends_without_a_copy_of_the_table():
    batches = text(2)
    state = start()
    take = update(STEP, optax.constant_schedule(0.01))
    call = loop.compile_steps(prepare(STEP, NOISE), take, state, batches)
    program = call.take.as_text()
    table = f"f32[{V},{D}]"
    assert table in program  # or the test would look for the wrong thing
    assert not [line for line in program.splitlines() if " copy(" in line and table in line]
    losses = []
    for _ in range(60):
        state, metrics = call(state, batches, 2)
        losses.append(float(metrics["loss"].mean()))
    assert losses[0] == pytest.approx(2 * np.log(2), rel=0.1)
    assert losses[-1] < 0.6 * losses[0]


def test_text_without_windows_changes_nothing():
    state = start()
    shape = (STEP.groups, STEP.size + 4)
    batch = TextBatch(np.full(shape, V, np.int32), np.full(shape, -1, np.int32))
    take = jax.jit(update(STEP, optax.constant_schedule(0.01)))
    after, metrics = take(state, draw(jax.random.key(5), batch))
    assert float(metrics["loss"]) == 0
    for before, now in zip(*map(jax.tree.leaves, (state.params, after.params)), strict=True):
        np.testing.assert_array_equal(before, now)
