import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb import data
from jaxemb.errors import InputError
from jaxemb.evaluation.window_validity import window_validity as judged
from jaxemb.losses.window_validity import window_logistic_loss, window_ranking_loss
from jaxemb.methods import window_validity
from jaxemb.methods.window_validity.options import Options
from jaxemb.methods.window_validity.step import draw_example, init, scores, update
from jaxemb.models import window_scorer
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.text import TextBatch
from jaxemb.training import loop
from jaxemb.training.state import TrainState

V, D = 3001, 20  # no other array of a step has such shapes
OPTIONS = Options(dim=D, window=5, switch=2, noise=6, groups=4, size=8, hidden=9)
# Few words, so that a random word often is the real one.
NOISE = noise_distribution(np.where(np.arange(V) < 5, 1000, 0), power=1.0)
RATE = optax.constant_schedule(0.01)


def start():
    params = window_scorer.init(jax.random.key(0), vocabulary=V, dim=D, window=5, hidden=9)
    return TrainState(jnp.zeros((), jnp.int32), jax.random.key(1), params, init(params))


def batches(steps):
    rng = np.random.default_rng(0)
    shape = (steps, OPTIONS.groups, OPTIONS.size + 4)
    words = rng.zipf(1.5, shape) % V
    documents = np.sort(rng.integers(-1, 2, shape), axis=-1)
    return TextBatch(words.astype(np.int32), documents.astype(np.int32))


draw = jax.jit(lambda key, batch: draw_example(key, OPTIONS, NOISE, batch))


@pytest.fixture(scope="module")
def example():
    return draw(jax.random.key(5), TextBatch(*(leaf[0] for leaf in batches(1))))


def test_windows_and_their_random_words(example):
    params = start().params
    vectors = params["words"][example.ids]
    found = jax.jit(scores, static_argnums=0)(OPTIONS, params["scorer"], vectors, example)
    found = jax.tree.map(np.asarray, found)
    batch = batches(1)
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
    margin = 0.7 if loss == "ranking" else 1.0
    options = dataclasses.replace(OPTIONS, loss=loss, margin=margin)
    state = start()
    after, metrics = jax.jit(update(options, NOISE, RATE).take)(state, example)

    def mean(params):
        found = scores(options, params["scorer"], params["words"][example.ids], example)
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
    given = batches(2)
    state = start()
    call = loop.compile_steps(update(OPTIONS, NOISE, RATE), state, given)
    program = call.take.as_text()
    table = f"f32[{V},{D}]"
    assert table in program  # or the test would look for the wrong thing
    assert not [line for line in program.splitlines() if " copy(" in line and table in line]
    losses = []
    for _ in range(60):
        state, metrics = call(state, given, 2)
        losses.append(float(metrics["loss"].mean()))
    assert losses[0] == pytest.approx(2 * np.log(2), rel=0.1)
    assert losses[-1] < 0.6 * losses[0]


def test_text_without_windows_changes_nothing():
    state = start()
    shape = (OPTIONS.groups, OPTIONS.size + 4)
    batch = TextBatch(np.full(shape, V, np.int32), np.full(shape, -1, np.int32))
    after, metrics = jax.jit(update(OPTIONS, NOISE, RATE))(state, batch)
    assert float(metrics["loss"]) == 0
    for before, now in zip(*map(jax.tree.leaves, (state.params, after.params)), strict=True):
        np.testing.assert_array_equal(before, now)


@pytest.fixture(scope="module")
def text():
    """Words of three topics, in sentences of one each."""
    rng = np.random.default_rng(0)
    topics = rng.integers(3, size=300)
    lines = [[f"t{topic}w{i}" for i in rng.integers(0, 6, 9)] for topic in topics]
    return data.from_tokens(lines, min_count=1)


SMALL = Options(
    dim=4, window=3, hidden=7, noise=3, held_out=0.1, stretch=60, epochs=2, groups=4, size=8
)


@pytest.fixture(scope="module")
def fitted(text):
    return window_validity.fit(jax.random.key(7), text, SMALL)


def test_a_loop_of_ones_own_gives_the_same_bits(text, fitted):
    training = window_validity.start(7, text, SMALL)
    state, step = training.state, jax.jit(training.update)
    for number in range(training.steps):
        state, metrics = step(state, training.batch(number))
    own = training.finish(state)
    jax.tree.map(np.testing.assert_array_equal, own.params, fitted.params)
    assert float(metrics["loss"]) == fitted.history.loss[-1]


def test_what_comes_out(text, fitted):
    np.testing.assert_array_equal(fitted.vectors.vectors, fitted.params["words"])
    assert list(fitted.vectors.words) == text.vocabulary.words
    assert fitted.options == SMALL
    assert fitted.history.stopped_because == "done"


CHANGES = {
    "dim": 5,
    "window": 5,
    "switch": 1,
    "hidden": 8,
    "loss": "ranking",
    "margin": 0.5,
    "noise": 4,
    "noise_power": 0.0,
    "held_out": 0.2,
    "stretch": 40,
    "learning_rate": 0.02,
    "final_rate": 0.5,
    "epochs": 1,
    "groups": 5,
    "size": 9,
    "init_scale": 0.2,
}


def test_every_field_is_tried():
    assert CHANGES.keys() == {field.name for field in dataclasses.fields(Options)}


def what_is_computed(text, options):
    """A training's start, program and first batches: what fixes its result, without compiling."""
    training = window_validity.start(7, text, options)
    program = jax.make_jaxpr(training.update)(training.state, training.batch(0))
    numbers = [training.state.params, training.batches(0, 3), program.consts]
    return (training.steps, str(program.jaxpr), *map(np.asarray, jax.tree.leaves(numbers)))


def same(one, other):
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@pytest.fixture(scope="module")
def before(text):
    return what_is_computed(text, SMALL)


@pytest.mark.parametrize("name", CHANGES)
def test_each_field_changes_what_is_computed(text, before, name):
    options = SMALL
    if name == "margin":
        options = dataclasses.replace(SMALL, loss="ranking")
        before = what_is_computed(text, options)
    changed = dataclasses.replace(options, **{name: CHANGES[name]})
    assert not same(what_is_computed(text, changed), before)
    # Or the test would find a change in anything.
    assert same(what_is_computed(text, options), before)


def test_windows_held_out_are_judged(text, fitted):
    found = window_validity.evaluate(7, fitted, text)
    assert found.windows.shape == (len(found.real), 3)
    words = np.array(text.vocabulary.words)
    np.testing.assert_allclose(
        window_validity.predict(fitted, words[found.windows]), found.real, rtol=1e-4, atol=1e-5
    )
    switched = found.windows.copy()
    switched[:, SMALL.place] = found.others
    assert (switched != found.windows).any(axis=1).all()
    np.testing.assert_allclose(
        window_validity.predict(fitted, words[switched]), found.switched, rtol=1e-4, atol=1e-5
    )
    # Real windows are of one topic, of switched ones only a third.
    trained = window_validity.fit(7, text, dataclasses.replace(SMALL, epochs=30))
    good = window_validity.evaluate(7, trained, text)
    assert judged(good.real, good.switched).ranked > 0.75


def test_what_cannot_be_predicted(fitted):
    assert window_validity.predict(fitted, []).shape == (0,)
    for windows, message in (
        ([["t0w0", "t0w1"]], "windows must be lists of 3 words, found 2 words in 0"),
        ([["t0w0"] * 3, "abc"], "found a string in 1"),
        ([["t0w0", "nowhere", "t0w1"]], "1 words are not among the vocabulary's 18: 'nowhere'"),
    ):
        with pytest.raises(InputError, match=message):
            window_validity.predict(fitted, windows)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window": 4}, "window must be odd, so that one word is the middle, found 4"),
        ({"switch": 6}, "switch must be at least 1 and at most 5, found 6"),
        ({"margin": 2.0}, "margin means nothing to logistic, only to ranking"),
        ({"held_out": 0.6}, "held_out must be at least 0.0001 and at most 0.5, found 0.6"),
        ({"loss": "hinge"}, "loss must be 'logistic', 'ranking', found 'hinge'"),
        ({"stretch": 4}, "stretch must be at least 5, found 4"),
    ],
)
def test_bad_options(fields, message):
    with pytest.raises(InputError, match=message):
        Options(**fields)


def test_text_without_windows_is_refused():
    short = data.from_tokens([["a", "b"], ["b", "a"]] * 200, min_count=1)
    with pytest.raises(InputError, match="the text held out has 0 windows of 5 words"):
        window_validity.start(0, short)
