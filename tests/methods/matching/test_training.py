import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest
from flax import linen as nn
from sklearn.datasets import load_digits

from jaxemb.errors import InputError
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.losses.terms import Terms
from jaxemb.methods import matching
from jaxemb.models.encoders import ConvEncoder, MlpEncoder
from jaxemb.training.run import Run

ENCODER = MlpEncoder(4, (8,))
LOSS = matching.losses.triplet(margin=0.2, mining="all")
OPTIONS = matching.Options(
    iterations=12, identities=4, samples=3, learning_rate=0.01, parts=1, call_steps=5
)
QUIET = Run(progress=False)


def people(seed, number=6, shots=5):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(number), shots)
    points = rng.normal(size=(number, 7))[labels] + 0.8 * rng.normal(size=(len(labels), 7))
    order = rng.permutation(len(labels))
    return points[order].astype(np.float32), labels[order]


POINTS, LABELS = people(0)


def jitter(key, points):
    return points + 0.1 * jax.random.normal(key, points.shape)


def fit(options=OPTIONS, *, key=3, labels=LABELS, loss=LOSS, run=QUIET, **arguments):
    return matching.fit(key, ENCODER, loss, POINTS, labels, options, run=run, **arguments)


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def differ(one, other):
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return any(not np.array_equal(a, b) for a, b in pairs)


@pytest.fixture(scope="module")
def fitted():
    return fit()


def test_people_are_matched_better_than_by_their_points():
    trained = fit(dataclasses.replace(OPTIONS, iterations=150), augment=jitter)
    vectors = matching.encode(trained.model, POINTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    scores = [retrieval(x, LABELS).mean_average_precision for x in (POINTS, vectors)]
    assert scores[1] > scores[0] + 0.1
    parts = matching.encode(trained.model, POINTS, at_a_time=7)
    np.testing.assert_allclose(parts, vectors, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "rate"),
    [
        ("triplet", 1e-4),
        ("triplet", 1e-2),
        ("supervised_contrastive", 1e-2),
        ("arcface", 1e-2),
        ("sigmoid_pairs", 1e-2),
    ],
)
def test_defaults_hold_over_the_usual_range(loss, rate):
    """With so many pixels that a first step of the whole rate would be a long one."""
    digits, labels = load_digits(return_X_y=True)
    wide = np.repeat(digits[:400], 20, axis=1).astype(np.float32) / 16
    options = matching.Options(iterations=60, identities=8, learning_rate=rate)
    made = getattr(matching.losses, loss)()
    fitted = matching.fit(0, MlpEncoder(16, (64,)), made, wide[:200], labels[:200], options)
    vectors = matching.encode(fitted.model, wide[200:])
    before, after = (retrieval(x, labels[200:400]).recall[1] for x in (wide[200:], vectors))
    assert after > before - 0.15


@pytest.mark.parametrize("augment", [None, jitter])
def test_a_loop_of_ones_own_gives_the_same_bits(augment):
    loss = matching.losses.triplet(margin=0.2, mining="random")  # draws
    training = matching.start(
        jax.random.key(3), ENCODER, loss, POINTS, LABELS, OPTIONS, augment=augment
    )
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    own = training.finish(state)
    assert_same(own.model.variables, fit(loss=loss, augment=augment).model.variables)


def test_an_interrupted_training_goes_on_to_the_same_bits(fitted, tmp_path):
    run = Run(checkpoints=tmp_path, seconds=0, progress=False)
    whole = fit(run=run)
    assert_same(whole.model.variables, fitted.model.variables)
    (tmp_path / "00000012").rename(tmp_path.parent / "last")
    again = fit(run=run)
    assert_same(again.model.variables, fitted.model.variables)
    assert again.history.steps == 12
    assert len(again.history.loss) < 12


def test_a_checkpoint_of_another_margin_is_refused(tmp_path):
    run = Run(checkpoints=tmp_path, progress=False)
    fit(run=run)
    with pytest.raises(InputError, match="is of another run"):
        fit(loss=matching.losses.triplet(margin=0.3, mining="all"), run=run)


# Of a training without validation; those that validation needs are tested with it.
CHANGED = {
    "iterations": 13,
    "identities": 3,
    "samples": 2,
    "learning_rate": 0.02,
    "weight_decay": 0.5,
}
SPEED_ALONE = {"parts": 2, "call_steps": 4}
VALIDATED = {"validate_every", "patience"}


def test_every_option_is_tested():
    names = {field.name for field in dataclasses.fields(matching.Options)}
    assert names == {*CHANGED, *SPEED_ALONE, *VALIDATED}


@pytest.mark.parametrize("name", CHANGED)
def test_each_option_changes_the_result(name, fitted):
    other = fit(dataclasses.replace(OPTIONS, **{name: CHANGED[name]}))
    assert differ(other.model.variables, fitted.model.variables)


@pytest.mark.parametrize("name", SPEED_ALONE)
def test_options_of_speed_alone_change_nothing_but_rounding(name, fitted):
    other = fit(dataclasses.replace(OPTIONS, **{name: SPEED_ALONE[name]}))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4),
        other.model.variables,
        fitted.model.variables,
    )


def test_key_augmentation_and_loss_change_the_result(fitted):
    for other in (fit(key=4), fit(augment=jitter), fit(loss=matching.losses.contrastive())):
        assert differ(other.model.variables, fitted.model.variables)
    assert_same(fit(key=jax.random.key(3)).model.variables, fitted.model.variables)


def test_labels_may_be_any_numbers(fitted):
    assert_same(fit(labels=LABELS * 10 - 7).model.variables, fitted.model.variables)
    # Also where the loss has a vector for each class.
    proxies = matching.losses.proxy_nca()
    named = fit(labels=LABELS * 10 - 7, loss=proxies)
    assert_same(named.loss_params, fit(loss=proxies).loss_params)
    assert named.loss_params["centers"].shape == (6, 4)


@pytest.mark.parametrize("kind", [list, pd.Series, pl.Series, pd.Categorical, jnp.asarray])
def test_labels_and_inputs_may_be_of_any_library(kind, fitted):
    given = LABELS if kind is jnp.asarray else np.array(list("abcdef"))[LABELS]
    inputs = POINTS.tolist() if kind is list else jnp.asarray(POINTS, jnp.float32)
    found = matching.fit(3, ENCODER, LOSS, inputs, kind(given.tolist()), OPTIONS, run=QUIET)
    assert_same(found.model.variables, fitted.model.variables)


def test_a_training_goes_on_from_another():
    proxies = matching.losses.proxy_nca()
    first = fit(loss=proxies)
    given = {"encoder": first.model.variables, "loss": first.loss_params}
    before = jax.tree.map(np.array, given)
    more = fit(loss=proxies, params=given)
    assert more.history.loss.mean() < first.history.loss.mean()
    assert_same(given, before)
    with pytest.raises(InputError, match='params must have the keys "encoder" and "loss"'):
        fit(params={"params": first.model.variables})


def test_the_best_by_validation_is_kept_and_patience_ends_it():
    validation = people(1)

    def recall(found):
        return retrieval(matching.encode(found.model, validation[0]), validation[1]).recall[1]

    # A rate that spoils the encoder: the first validation stays the best.
    spoiled = dataclasses.replace(OPTIONS, iterations=60, learning_rate=1.0, validate_every=5)
    last, best = fit(spoiled), fit(spoiled, validation=validation)
    assert recall(best) >= recall(last)
    assert best.history.steps == 60
    patient = dataclasses.replace(spoiled, patience=2)
    stopped = fit(patient, validation=validation)
    assert stopped.history.stopped_because == "no better for 2 validations"
    assert stopped.history.steps < 60
    assert_same(stopped.model.variables, fit(patient, validation=validation).model.variables)
    # Judged at other steps, another may be the best.
    rarely = fit(dataclasses.replace(spoiled, validate_every=60), validation=validation)
    assert_same(rarely.model.variables, last.model.variables)


def test_labels_of_another_kind_need_rows_of_ones_own():
    gaps = np.arange(30, dtype=np.float32)[:, None]

    def terms(params, key, vectors, labels):
        kind, gap = labels
        return Terms(jnp.abs(vectors[:, 0] - gap[:, 0] / 30), jnp.ones(len(kind), jnp.int32))

    loss = matching.Loss(terms)
    with pytest.raises(
        InputError, match="labels must be one array of whole numbers or names, found tuple"
    ):
        fit(loss=loss, labels=(LABELS, gaps))

    def rows(start, stop):
        return np.arange(start * 6, stop * 6).reshape(-1, 6) % 30

    found = fit(loss=loss, labels=(LABELS, gaps), rows=rows)
    assert found.history.loss[-1] < found.history.loss[0]
    assert found.loss_params == {}


def test_inputs_may_be_a_tree():
    turns = np.zeros(len(POINTS), np.int32)

    def augment(key, inputs):
        points, turns = inputs
        return points + turns[:, None]

    found = matching.fit(
        3, ENCODER, LOSS, (POINTS, turns), LABELS, OPTIONS, augment=augment, run=QUIET
    )
    assert matching.encode(found.model, POINTS).shape == (30, 4)


class Point(nn.Module):
    """Sees no difference between examples."""

    @nn.compact
    def __call__(self, points):
        place = self.param("place", nn.initializers.ones, (4,))
        return jnp.broadcast_to(place, (len(points), 4))


def test_a_collapse_is_refused():
    with pytest.raises(InputError, match="the embedding has collapsed to a point at step 5"):
        matching.fit(3, Point(), LOSS, POINTS, LABELS, OPTIONS, run=QUIET)


def test_mistakes_are_named():
    for arguments, message in (
        ({"labels": LABELS[:-1]}, "labels must be one for each of 30 rows"),
        ({"labels": LABELS / 2}, "labels must be whole numbers or names, found float64"),
        ({"options": matching.Options(identities=7)}, "a batch of 7 identities needs as many"),
        ({"labels": np.arange(30)}, "30 of 30 classes have one sample"),
        ({"key": "seed"}, "key must be"),
        ({"validation": (POINTS, LABELS[1:])}, "labels must be one for each of 30 rows"),
    ):
        with pytest.raises(InputError, match=message):
            fit(**arguments)
    with pytest.raises(InputError, match="inputs must be at least one example"):
        matching.encode(matching.Model(ENCODER, {}), POINTS[:0])


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("iterations", 0),
        ("identities", 1),
        ("samples", 1),
        ("learning_rate", float("nan")),
        ("weight_decay", -1.0),
        ("validate_every", 0),
        ("patience", -1),
        ("parts", 0),
        ("call_steps", 1.5),
    ],
)
def test_options_are_checked(name, bad):
    with pytest.raises(InputError, match=f"^{name} must be"):
        matching.Options(**{name: bad})


def with_gap():
    points = POINTS.copy()
    points[4, 2] = np.nan
    return points


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"encoder": MlpEncoder}, "encoder must be a Flax module, .* found MlpEncoder itself"),
        ({"encoder": None}, "encoder must be a Flax module, .* found None"),
        (
            {"encoder": ConvEncoder(4, (8,))},
            r"ConvEncoder cannot take inputs of shape \[7\] each: ",
        ),
        ({"loss": matching.losses.triplet}, "loss must be a Loss, such as .*, found triplet"),
        ({"loss": "triplet"}, "loss must be a Loss, such as .*, found 'triplet'"),
        ({"inputs": with_gap()}, r"inputs must be finite, found nan at \[4, 2\]"),
        ({"inputs": POINTS.astype(str)}, "inputs must be arrays of real numbers, found <U"),
        ({"validation": POINTS}, r"validation must be a pair \(inputs, labels\), found ndarray"),
        (
            {"validation": (POINTS[:, :3], LABELS)},
            r"MlpEncoder cannot take inputs of shape \[3\] each: ",
        ),
    ],
)
def test_mistakes_are_named_before_the_first_step(given, message):
    given = {"encoder": ENCODER, "loss": LOSS, "inputs": POINTS} | given
    places = [given.pop(name) for name in ("encoder", "loss", "inputs")]
    with pytest.raises(InputError, match=message):
        matching.start(0, *places, LABELS, OPTIONS, **given)


def test_what_cannot_be_encoded_is_named(fitted):
    with pytest.raises(InputError, match=r"MlpEncoder cannot take inputs of shape \[3\] each"):
        matching.encode(fitted.model, POINTS[:, :3])
    with pytest.raises(InputError, match="model must be that of a Fitted, found Fitted"):
        matching.encode(fitted, POINTS)
    np.testing.assert_array_equal(
        matching.encode(fitted.model, POINTS.tolist()), matching.encode(fitted.model, POINTS)
    )
