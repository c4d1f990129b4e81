import dataclasses

import jax
import numpy as np
import pytest
from sklearn.datasets import load_digits

from jaxemb.errors import InputError
from jaxemb.methods import classifier
from jaxemb.models import output_layer
from jaxemb.models.encoders import MlpEncoder
from jaxemb.training.run import Run

MODULE = MlpEncoder(8, (16,))
ROOM = 5
OPTIONS = classifier.Options(iterations=120, batch=16, learning_rate=1e-2)
FEW = dataclasses.replace(OPTIONS, iterations=12, call_steps=5)


@pytest.fixture(scope="module")
def data():
    """Ten points around each of five centers."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(ROOM, dtype=np.int32), 10)
    points = rng.normal(size=(ROOM, 6))[labels] + 0.2 * rng.normal(size=(len(labels), 6))
    return points.astype(np.float32), labels


@pytest.fixture(scope="module")
def start(data):
    output = output_layer.init(dim=8, classes=ROOM)
    encoder = jax.jit(MODULE.init)(jax.random.key(1), data[0][:1])
    return {"encoder": encoder, "output": output}


def jitter(key, points):
    return points + 0.05 * jax.random.normal(key, points.shape)


def fit(data, options=FEW, *, key=0, augment=jitter, run=None, **arguments):
    run = run or Run(progress=False)
    return classifier.fit(key, MODULE, *data, options, augment=augment, run=run, **arguments)


def accuracy(fitted, data):
    return (classifier.predict(fitted.model, data[0]) == data[1]).mean()


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def differ(one, other):
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return any(not np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("rate", [1e-4, 1e-2])
@pytest.mark.parametrize("columns", [1, 40])
def test_defaults_hold_over_the_usual_range(rate, columns):
    digits, labels = load_digits(return_X_y=True)
    digits = np.repeat(digits[:400], columns, axis=1).astype(np.float32) / 16
    options = classifier.Options(iterations=120, learning_rate=rate)
    fitted = classifier.fit(0, MlpEncoder(16, (64,)), digits[:200], labels[:200], options)
    assert accuracy(fitted, (digits[200:], labels[200:400])) > 0.4


def test_classes_are_learned_and_the_start_is_kept(data, start):
    before = jax.tree.map(np.array, start)
    fitted = fit(data, OPTIONS, params=start)
    assert accuracy(fitted, data) > 0.9
    assert_same(before, start)
    assert_same(fitted.model.params, fit(data, OPTIONS, params=start).model.params)


def test_classes_that_are_not_there_are_neither_learned_nor_answered(data, start):
    points, labels = data
    few = points[labels < 3], labels[labels < 3]
    fitted = fit(few, OPTIONS, params=start, classes=3)
    assert accuracy(fitted, few) > 0.9
    assert set(classifier.predict(fitted.model, points)) <= {0, 1, 2}
    kernel, bias = (np.asarray(fitted.model.params["output"][name]) for name in ("kernel", "bias"))
    np.testing.assert_array_equal(kernel[:, 3:], start["output"]["kernel"][:, 3:])
    np.testing.assert_array_equal(bias[3:], 0)


def test_fewer_examples_than_a_batch(data, start):
    points, labels = data
    few = points[::10], labels[::10]  # one of each class
    assert accuracy(fit(few, OPTIONS, params=start), data) > 0.9


def test_what_is_not_given_is_drawn(data):
    fitted = fit(data, OPTIONS)
    assert fitted.model.params["output"]["kernel"].shape == (8, ROOM)
    assert accuracy(fitted, data) > 0.9


@pytest.mark.parametrize("augment", [None, jitter])
def test_a_loop_of_ones_own_gives_the_same_bits(data, augment):
    training = classifier.start(jax.random.key(0), MODULE, *data, FEW, augment=augment)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    assert_same(training.finish(state).model.params, fit(data, augment=augment).model.params)


def test_an_interrupted_training_goes_on_to_the_same_bits(data, tmp_path):
    run = Run(checkpoints=tmp_path / "run", seconds=0, progress=False)
    whole = fit(data, run=run)
    (tmp_path / "run" / "00000012").rename(tmp_path / "last")
    again = fit(data, run=run)
    assert_same(again.model.params, whole.model.params)
    assert len(again.history.loss) < 12


CHANGED = {
    "iterations": 13,
    "batch": 8,
    "learning_rate": 0.02,
    "weight_decay": 0.5,
    "scale": 8.0,
}
SPEED_ALONE = {"call_steps": 4}
VALIDATED = {"validate_every", "patience"}


def test_each_option_changes_the_result(data):
    names = {field.name for field in dataclasses.fields(classifier.Options)}
    assert names == {*CHANGED, *SPEED_ALONE, *VALIDATED}
    params = fit(data).model.params
    for name, value in CHANGED.items():
        other = fit(data, dataclasses.replace(FEW, **{name: value}))
        assert differ(other.model.params, params), name
    for name, value in SPEED_ALONE.items():
        assert_same(fit(data, dataclasses.replace(FEW, **{name: value})).model.params, params)


def test_the_best_by_validation_is_kept_and_patience_ends_it(data):
    # Told other classes than those trained on: the more is learned, the fewer are right.
    wrong = data[0], (data[1] + 1) % ROOM
    often = dataclasses.replace(OPTIONS, iterations=60, validate_every=5, call_steps=5)
    last, best = fit(data, often), fit(data, often, validation=wrong)
    assert accuracy(best, wrong) >= accuracy(last, wrong)
    assert accuracy(last, data) > accuracy(best, data)
    assert best.history.steps == 60
    stopped = fit(data, dataclasses.replace(often, patience=2), validation=wrong)
    assert stopped.history.stopped_because == "no better for 2 validations"
    assert stopped.history.steps < 60
    # Judged at the end alone, the last are the best.
    rarely = fit(data, dataclasses.replace(often, validate_every=60), validation=wrong)
    assert_same(rarely.model.params, last.model.params)


def test_classes_may_have_names(data):
    points, labels = data
    names = np.array(["elm", "oak", "ash", "fir", "yew"])[labels]
    found = classifier.fit(0, MODULE, points, names.tolist(), OPTIONS, validation=(points, names))
    assert found.model.names == ("ash", "elm", "fir", "oak", "yew")
    assert (classifier.predict(found.model, points) == names).mean() > 0.9
    # The same outputs by number.
    numbers = np.unique(names, return_inverse=True)[1]
    by_number = classifier.fit(0, MODULE, points, numbers, OPTIONS, validation=(points, numbers))
    assert_same(by_number.model.params, found.model.params)
    # In an order of one's own, so that more may come.
    order = ("yew", "oak", "fir", "elm", "ash", "box")
    other = classifier.fit(0, MODULE, points, names, OPTIONS, classes=order)
    assert (other.model.classes, other.model.names) == (6, order)
    assert (classifier.predict(other.model, points) == names).mean() > 0.9
    for arguments, message in (
        ({"classes": order[:3]}, "label 'ash' is none of the classes yew, oak, fir"),
        ({"classes": ("a", "a")}, "classes must be the different names that labels may have"),
        ({"classes": 5}, "classes must be the different names that labels may have"),
        ({"validation": (points, labels)}, "labels must be names, as those trained on, found int"),
    ):
        with pytest.raises(InputError, match=message):
            classifier.fit(0, MODULE, points, names, OPTIONS, **arguments)
    with pytest.raises(InputError, match="classes are names, but labels are numbers"):
        classifier.fit(0, MODULE, points, labels, OPTIONS, classes=order)


def test_mistakes_are_named(data, start):
    points, labels = data
    for arguments, message in (
        ({"classes": 3}, r"label 3 at position 30 is outside \[0, 3\); 20 such"),
        ({"classes": 6, "params": start}, "params have outputs for 5 classes, 6 are needed"),
        ({"params": {"kernel": 1}}, 'params must have the keys "encoder" and "output"'),
        ({"validation": (points, labels[1:])}, "labels must be one for each of 50 rows"),
        ({"validation": points}, r"validation must be a pair \(inputs, labels\), found ndarray"),
        (
            {"validation": (points * np.nan, labels)},
            r"inputs must be finite, found nan at \[0, 0\]",
        ),
        ({"validation": (points[:, 1:], labels)}, r"MlpEncoder cannot take inputs of shape \[5\]"),
    ):
        with pytest.raises(InputError, match=message):
            fit(data, **arguments)
    for name in ("iterations", "batch", "learning_rate", "scale", "call_steps"):
        with pytest.raises(InputError, match=f"^{name} must be"):
            classifier.Options(**{name: 0})
