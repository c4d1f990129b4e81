import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxemb.errors import InputError
from jaxemb.losses.info_nce import info_nce_loss
from jaxemb.losses.terms import mean_of_terms
from jaxemb.methods import matching, two_views
from jaxemb.models.encoders import Given, MlpEncoder

RNG = np.random.default_rng(0)
THINGS = RNG.normal(size=(160, 3))
FIRST = np.tanh(THINGS @ RNG.normal(size=(3, 12))).astype(np.float32)
SECOND = (THINGS @ RNG.normal(size=(3, 5)) ** 3).astype(np.float32)
TRAIN, TEST = slice(0, 120), slice(120, 160)
TOWERS = MlpEncoder(6, (16,)), MlpEncoder(6, (16,))
LOSS = matching.losses.info_nce(temperature=0.1)
OPTIONS = two_views.Options(iterations=150, batch=40, learning_rate=0.01, parts=1)


def fit(towers=TOWERS, loss=LOSS, pairs=(FIRST[TRAIN], SECOND[TRAIN]), options=OPTIONS, **given):
    return two_views.fit(0, towers, loss, pairs, options, **given)


@functools.cache
def fitted():
    return fit()


def found(model, rows=TEST) -> float:
    """How often the own second view is the nearest one."""
    first = two_views.encode(model, FIRST[rows], side="first")
    second = two_views.encode(model, SECOND[rows], side="second")
    return np.mean(np.argmax(first @ second.T, axis=1) == np.arange(len(first)))


def test_new_objects_are_found_by_their_other_view():
    assert found(fitted().model) > 0.5  # 1 of 40 by chance
    assert fitted().history.loss[-1] < fitted().history.loss[0] / 2


def test_the_first_loss_is_the_formulas():
    start = {
        side: jax.jit(tower.init)(jax.random.key(i), view[:1])
        for i, (side, tower, view) in enumerate(
            zip(("first", "second"), TOWERS, (FIRST, SECOND), strict=True)
        )
    }
    rows = np.stack([RNG.permutation(120)[:10], RNG.permutation(120)[:10]], axis=1)
    labels = np.arange(120) % 9
    training = two_views.start(
        0,
        TOWERS,
        LOSS,
        (FIRST, SECOND[:130]),
        OPTIONS,
        labels=np.arange(160) % 9,
        params=start,
        rows=lambda start, stop: np.tile(rows, (stop - start, 1, 1)),
    )
    first = jax.jit(TOWERS[0].apply)(start["first"], FIRST[rows[:, 0]])
    second = jax.jit(TOWERS[1].apply)(start["second"], SECOND[rows[:, 1]])
    own = jnp.asarray(labels[rows[:, 0]])

    @jax.jit
    def expect(one, other):
        return mean_of_terms(info_nce_loss(one, other, temperature=0.1, labels=own))

    expected = np.mean([expect(first, second), expect(second, first)])
    batch = jax.tree.map(lambda leaf: leaf[0], training.batches(0, 1))
    _, metrics = jax.jit(training.update)(training.state, batch)
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        matching.losses.ranking(margin=0.2),
        matching.losses.sigmoid_pairs(),
        matching.losses.triplet(margin=0.2, positives=1),
    ],
)
def test_other_losses(loss):
    assert found(fit(loss=loss).model) > 0.25


def test_a_frozen_tower_stays_and_the_other_comes_to_it():
    given = {"second": fitted().model.second.variables}
    options = dataclasses.replace(OPTIONS, frozen=("second",), weight_decay=0.1)
    model = fit(options=options, params=given).model
    jax.tree.map(np.testing.assert_array_equal, model.second.variables, given["second"])
    assert found(model) > 0.4


def test_of_a_frozen_tower_the_vectors_are_augmented():
    shapes = []

    def jitter(key, first, second):
        shapes.append((first.shape[1:], second.shape[1:]))
        return first, second + 0.01 * jax.random.normal(key, second.shape)

    given = {"second": fitted().model.second.variables}
    options = dataclasses.replace(OPTIONS, frozen=("second",), iterations=25)
    fit(options=options, params=given, augment=jitter)
    assert set(shapes) == {((12,), (6,))}


def test_vectors_that_exist_are_a_view_as_they_are():
    targets = two_views.encode(fitted().model, SECOND, side="second")
    model = fit((MlpEncoder(6, (16,)), Given()), pairs=(FIRST[TRAIN], targets[TRAIN])).model
    np.testing.assert_allclose(two_views.encode(model, targets, side="second"), targets, atol=1e-6)
    first = two_views.encode(model, FIRST[TEST], side="first")
    assert np.mean(np.argmax(first @ targets[TEST].T, axis=1) == np.arange(40)) > 0.4


def test_one_tower_encodes_both_views():
    noisy = [FIRST + 0.1 * RNG.normal(size=FIRST.shape).astype(np.float32) for _ in range(2)]
    model = fit(MlpEncoder(6, ()), pairs=noisy).model
    assert model.first.variables is model.second.variables


def test_the_best_parameters_are_kept():
    validation = FIRST[TEST], SECOND[TEST]
    options = dataclasses.replace(OPTIONS, validate_every=25, patience=2, call_steps=25)
    model = fit(options=options, validation=validation).model
    first, second = (
        two_views.encode(model, view, side=side)
        for view, side in zip(validation, ("first", "second"), strict=True)
    )
    back = np.mean(np.argmax(second @ first.T, axis=1) == np.arange(40))
    assert (found(model) + back) / 2 > 0.5


def test_both_views_are_augmented():
    def jitter(key, first, second):
        return first + 0.1 * jax.random.normal(key, first.shape), second

    same, other = fit(augment=jitter), fit(augment=jitter)
    jax.tree.map(np.testing.assert_array_equal, same.model, other.model)
    assert same.history.loss[0] != fitted().history.loss[0]


class Wide(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(9)(x)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pairs": (FIRST, SECOND[:9])}, "as many first views as second ones, found 160 and 9"),
        ({"pairs": (3.0, SECOND)}, "first views must be arrays, an example a row, found a number"),
        ({"pairs": FIRST}, "pairs must be two, all first views and all second views, found nd"),
        ({"pairs": (FIRST[:9], SECOND[:9])}, "batch must be at most the 9 pairs, found 40"),
        (
            {"towers": (Wide(), TOWERS[1])},
            r"into one space, found vectors of shape \[9\] and \[6\]",
        ),
        ({"towers": (TOWERS[0],)}, "two Flax modules or one for both, found 1"),
        ({"towers": MlpEncoder(6)}, "cannot take inputs of shape"),
        ({"labels": [0, 1]}, "labels must be one for each of 120"),
        ({"params": {"third": {}}}, "params must have the keys first, second and loss"),
        ({"loss": info_nce_loss}, "loss must be a Loss"),
        ({"validation": (FIRST,)}, "validation must be"),
        (
            {"options": dataclasses.replace(OPTIONS, frozen=("second",))},
            "params must hold the second tower's parameters, which is frozen",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        fit(**given)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"batch": 1}, "batch must be at least 2"),
        ({"frozen": ("first", "second")}, "frozen must leave one tower to train"),
        ({"frozen": ("third",)}, 'frozen must be of \\("first", "second"\\), found'),
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be more than 0"),
    ],
)
def test_numbers_that_no_training_can_use(fields, message):
    with pytest.raises(InputError, match=message):
        two_views.Options(**fields)


def test_a_side_is_first_or_second():
    with pytest.raises(InputError, match="side must be 'first' or 'second', found 'left'"):
        two_views.encode(fitted().model, FIRST, side="left")
