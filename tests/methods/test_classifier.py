import jax
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.methods import classifier
from jaxemb.models import output_layer
from jaxemb.models.encoders import MlpEncoder

MODULE = MlpEncoder(8, (16,))
ROOM = 5


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


def fit(start, data, *, classes, key=0, batch=16):
    return classifier.fit(
        jax.random.key(key),
        MODULE,
        start,
        *data,
        classes=classes,
        iterations=120,
        batch=batch,
        learning_rate=1e-2,
        prepare=lambda key, points: points + 0.05 * jax.random.normal(key, points.shape),
    ).params


def test_classes_are_learnt_and_the_start_is_kept(data, start):
    before = jax.tree.map(np.array, start)
    params = fit(start, data, classes=ROOM)
    assert (classifier.classify(MODULE, params, data[0], classes=ROOM) == data[1]).mean() > 0.9
    jax.tree.map(np.testing.assert_array_equal, before, start)
    again = fit(start, data, classes=ROOM)
    jax.tree.map(np.testing.assert_array_equal, params, again)


def test_classes_that_are_not_there_are_neither_learnt_nor_answered(data, start):
    points, labels = data
    few = points[labels < 3], labels[labels < 3]
    params = fit(start, few, classes=3)
    assert (classifier.classify(MODULE, params, few[0], classes=3) == few[1]).mean() > 0.9
    assert set(classifier.classify(MODULE, params, points, classes=3)) <= {0, 1, 2}
    kernel, bias = (np.asarray(params["output"][name]) for name in ("kernel", "bias"))
    np.testing.assert_array_equal(kernel[:, 3:], start["output"]["kernel"][:, 3:])
    np.testing.assert_array_equal(bias[3:], 0)


def test_fewer_examples_than_a_batch(data, start):
    points, labels = data
    few = points[::10], labels[::10]  # one of each class
    params = fit(start, few, classes=ROOM)
    assert (classifier.classify(MODULE, params, points, classes=ROOM) == labels).mean() > 0.9


def test_labels_out_of_range_are_refused(data, start):
    with pytest.raises(InputError, match=r"label 3 at position 30 is outside \[0, 3\); 20 such"):
        fit(start, data, classes=3)
