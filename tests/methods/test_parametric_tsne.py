import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits

from jaxemb.errors import InputError
from jaxemb.evaluation.projection import knn_accuracy
from jaxemb.methods import parametric_tsne
from jaxemb.methods.parametric_tsne import Batch, Weights
from jaxemb.models.autoencoder import DenseAutoencoder
from jaxemb.training.run import Run

MODEL = DenseAutoencoder(5, 2, (7,))
RNG = np.random.default_rng(0)
BATCH = Batch(
    jnp.asarray(RNG.normal(size=(6, 5)), jnp.float32),
    jnp.asarray(RNG.normal(size=(6, 5)), jnp.float32),
    jnp.array([0, 1, 0, -1, 1, 2], jnp.int32),
)
PARAMS = jax.jit(MODEL.init)(jax.random.key(0), BATCH.points)


@functools.cache
def evaluate(weights):
    """Returns the loss and its terms, and the gradient."""
    objective = parametric_tsne.objective(MODEL, weights=weights, margin=3.0, points=50)
    return jax.jit(jax.value_and_grad(objective, has_aux=True))(PARAMS, BATCH)


def distance(one, other):
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": 1e-4},
        {"learning_rate": 1e-2},
        {"learning_rate": 1e-2, "hidden": (2048,)},
        {"learning_rate": 1e-2, "reconstruction": 1e3},
        {"dim": 8, "learning_rate": 1e-2},
    ],
    ids=str,
)
def test_defaults_hold_over_the_usual_range(options):
    digits, labels = load_digits(return_X_y=True)
    asked = {"iterations": 150, "hidden": (64,)} | options
    fitted = parametric_tsne.fit(0, digits[:150], parametric_tsne.Options(**asked))
    places = parametric_tsne.encode(fitted.model, digits[:150])
    assert np.isfinite(places).all()
    # By chance a tenth; a tenth of the rate takes more steps than these.
    assert knn_accuracy(places, labels[:150], k=5) > (
        0.3 if asked.get("learning_rate") == 1e-4 else 0.5
    )


def test_ten_points_have_a_map():
    options = parametric_tsne.Options(iterations=30, learning_rate=1e-2)
    fitted = parametric_tsne.fit(0, load_digits().data[:10], options)
    assert np.isfinite(fitted.history.loss).all()
    assert fitted.history.loss[-1] < fitted.history.loss[0]


def test_each_term_against_its_formula():
    encode = jax.jit(functools.partial(MODEL.apply, method="encode"))
    center, neighbor = (
        np.asarray(encode(PARAMS, rows), float) for rows in (BATCH.points, BATCH.neighbors)
    )
    given_back = np.asarray(jax.jit(MODEL.apply)(PARAMS, BATCH.points), float)
    attraction = sum(np.log(1 + distance(a, b)) for a, b in zip(center, neighbor, strict=True)) / 6
    kernels = [
        1 / (1 + distance(center[i], center[j])) for i in range(6) for j in range(6) if i != j
    ]
    kl = attraction + np.log(np.mean(kernels) * 50 * 49)
    labels = np.asarray(BATCH.labels)
    hinges = []
    for i in range(6):
        near = [
            distance(center[i], center[j]) for j in range(6) if j != i and labels[j] == labels[i]
        ]
        far = [
            distance(center[i], center[j])
            for j in range(6)
            if labels[j] >= 0 and labels[j] != labels[i]
        ]
        # The class of one and the point whose class isn't told have no triplet.
        if labels[i] >= 0 and near:
            hinges.append(max(0, 3.0 + max(near) - min(far)))
    assert len(hinges) == 4
    error = ((given_back - np.asarray(BATCH.points, float)) ** 2).mean()
    (loss, metrics), _ = evaluate(Weights(0.5, 0.25, 2.0))
    expected = {"kl": kl, "triplet": np.mean(hinges), "reconstruction": error}
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5)
    total = 0.5 * kl + 0.25 * np.mean(hinges) + 2 * error
    np.testing.assert_allclose(loss, total, rtol=1e-5)


def test_gradients_add_up_and_a_weight_of_zero_leaves_a_term_out():
    def slope(*weights):
        return evaluate(Weights(*weights))[1]

    parts = [slope(1, 0, 0), slope(0, 1, 0), slope(0, 0, 1)]
    parts = jax.tree.map(np.asarray, parts)
    together = jax.tree.map(lambda a, b, c: a + 2 * b + 3 * c, *parts)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5),
        slope(1, 2, 3),
        together,
    )
    decoder = [
        np.abs(leaf).max()
        for name, part in parts[0]["params"].items()
        if "decoder" in name
        for leaf in part.values()
    ]
    assert decoder
    assert max(decoder) == 0
    (_, metrics), _ = evaluate(Weights(1, 0, 0))
    assert metrics["triplet"] == metrics["reconstruction"] == 0


def clusters():
    rng = np.random.default_rng(3)
    labels = np.arange(150) % 3
    return (5 * np.eye(3, 5)[labels] + rng.normal(size=(150, 5))).astype(np.float32), labels


def fit(points, labels=None, *, run=None, module=None, **options):
    asked = {"perplexity": 10.0, "iterations": 200, "batch": 64, "hidden": (7,), "margin": 1.0}
    asked |= {"learning_rate": 1e-3} | options
    return parametric_tsne.fit(
        jax.random.key(2),
        points,
        parametric_tsne.Options(**asked),
        labels=labels,
        module=module,
        run=run,
    )


def same(one, other):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, one, other)))


def test_a_map_tells_clusters_apart_that_it_never_saw():
    points, labels = clusters()
    fitted = fit(points[:120], learning_rate=1e-2)
    # In one point, the KL is about 1 nat.
    loss = fitted.history.loss
    assert loss[-20:].mean() < loss[:5].mean() - 0.7
    places = parametric_tsne.encode(fitted.model, points)
    for new in range(120, 150):
        nearest = np.argmin(((places[:120] - places[new]) ** 2).sum(axis=1))
        assert labels[nearest] == labels[new]


ALL = {"kl": 1.0, "triplet": 1.0, "reconstruction": 1.0}


def test_a_run_cut_in_the_middle_ends_with_the_same_bits(tmp_path):
    points, labels = clusters()
    options = {**ALL, "iterations": 60}
    whole = fit(points, labels, **options)

    class Killed(Exception):
        pass

    def die(done, metrics, seconds):
        if done > 25:
            raise Killed

    with pytest.raises(Killed):
        fit(points, labels, run=Run(tmp_path, seconds=0, report=die), **options)
    cut = fit(points, labels, run=Run(tmp_path, seconds=0), **options)
    assert len(cut.history.loss) == 35
    assert same(whole.model.variables, cut.model.variables)


def test_a_loop_of_ones_own_takes_the_same_steps():
    points, labels = clusters()
    options = {**ALL, "perplexity": 10.0, "iterations": 30, "batch": 64, "hidden": (7,)}
    training = parametric_tsne.start(
        jax.random.key(2), points, parametric_tsne.Options(**options), labels=labels
    )
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    expected = fit(points, labels, **options, margin=10.0)
    assert same(training.finish(state).model.variables, expected.model.variables)


CHANGED = {
    "dim": 3,
    "perplexity": 12.0,
    "neighbors_per_perplexity": 2.0,
    "hidden": (6,),
    "kl": 2.0,
    "triplet": 0.5,
    "reconstruction": 0.5,
    "margin": 2.0,
    "iterations": 21,
    "batch": 32,
    "learning_rate": 0.01,
}


def test_each_field_changes_the_network():
    points, labels = clusters()
    base = {**ALL, "iterations": 20}
    one = fit(points, labels, **base).model.variables
    for name, value in CHANGED.items():
        other = fit(points, labels, **base | {name: value}).model.variables
        # Of other widths, the arrays have other shapes.
        assert not same(one, other), name
    assert set(CHANGED) == {field.name for field in dataclasses.fields(parametric_tsne.Options)}


def test_a_users_own_module():
    module = DenseAutoencoder(5, 2, (3,))
    fitted = fit(clusters()[0], module=module, iterations=5)
    assert fitted.model.module == module
    assert parametric_tsne.reconstruct(fitted.model, clusters()[0]).shape == (150, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kl": 0.0}, "kl, triplet and reconstruction are all 0; one of them must be more"),
        ({"kl": float("nan")}, "kl must be at least 0"),
        ({"triplet": 1.0}, "triplet needs labels"),
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"batch": 1}, "batch must be at least 2"),
        ({"perplexity": 50.0}, "perplexity must be from 1 to less than a third of the 150 points"),
        ({"neighbors_per_perplexity": 15.0}, "neighbors_per_perplexity must leave fewer .* 150"),
        ({"learning_rate": float("nan")}, "learning_rate must be more than 0"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(InputError, match=message):
        fit(clusters()[0], **options)


def test_labels_must_be_one_for_each_point():
    points, labels = clusters()
    with pytest.raises(InputError, match="one for each of 150 rows"):
        fit(points, labels[:20], triplet=1.0)


def test_points_that_are_no_points():
    points = clusters()[0]
    points[7, 2] = np.nan
    with pytest.raises(InputError, match="row 7, column 2"):
        fit(points)
    with pytest.raises(InputError, match="all 150 points are at the same place"):
        fit(np.ones_like(points))
