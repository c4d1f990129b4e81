import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits

from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.methods import autoencoder
from jaxemb.models.autoencoder import ConvAutoencoder
from jaxemb.training.run import Run

KEY = jax.random.key(0)
BASE = {"iterations": 5000, "model": "linear"}


def fit(points, *, key=KEY, module=None, validation=None, run=None, **options):
    asked = autoencoder.Options(**BASE | options)
    return autoencoder.fit(key, points, asked, module=module, validation=validation, run=run)


def planes(count=400):
    """Points near a plane in 8 dimensions, off the origin and in other units."""
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(count, 2)) * [3, 2] @ rng.normal(size=(2, 8))
    return (100 * (flat + 0.3 * rng.normal(size=(count, 8)) + 5)).astype(np.float32)


def unexplained(points, given_back):
    return np.square(points - given_back).sum() / np.square(points - points.mean(axis=0)).sum()


@pytest.fixture(scope="module")
def linear():
    return fit(planes(), iterations=600, batch=64, learning_rate=0.02)


def test_a_linear_one_finds_the_subspace_of_pca(linear):
    points = planes()
    fitted = pca.fit(jnp.asarray(points), components=2)
    found = np.asarray(linear.model.variables["params"]["decoder_0"]["kernel"]).T
    before = linear.model.module.init(KEY, jnp.zeros((1, 8)))["params"]["decoder_0"]["kernel"]
    angles = np.degrees(subspace_angles(found, np.asarray(fitted.directions)))
    assert np.degrees(subspace_angles(np.asarray(before).T, np.asarray(fitted.directions)))[0] > 20
    assert angles[0] < 1
    # So what comes out is what PCA gives back.
    scores = pca.transform(fitted, jnp.asarray(points))
    expected = unexplained(points, np.asarray(pca.inverse(fitted, scores)))
    ours = unexplained(points, autoencoder.reconstruct(linear.model, points))
    assert expected <= ours * (1 + 1e-5)
    assert ours < 1.02 * expected
    # A batch's share differs from that of all points by sampling.
    np.testing.assert_allclose(linear.history.loss[-50:].mean(), ours, rtol=0.1)


def test_codes_are_of_points_new_or_old(linear):
    points = planes()
    codes = autoencoder.encode(linear.model, points)
    assert codes.shape == (400, 2)
    np.testing.assert_allclose(autoencoder.encode(linear.model, points[7:9]), codes[7:9], atol=1e-5)


def test_a_bent_line_needs_hidden_layers():
    turn = np.random.default_rng(0).uniform(0, 1.5 * np.pi, 500)
    points = np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn)], axis=1).astype(np.float32)
    left = {}
    for hidden in ((), (32, 32)):
        options = {"dim": 1, "iterations": 800, "batch": 64, "learning_rate": 0.01}
        fitted = fit(points, model="dense", hidden=hidden, **options)
        left[hidden] = unexplained(points, autoencoder.reconstruct(fitted.model, points))
    assert left[(32, 32)] < 0.05 < 0.3 < left[()]


def images(count=300):
    """8 x 8 images of one bright row and one bright column."""
    rng = np.random.default_rng(1)
    drawn = np.zeros((count, 8, 8), np.float32)
    drawn[range(count), rng.integers(8, size=count)] = 1
    drawn[range(count), :, rng.integers(8, size=count)] = 1
    return drawn.reshape(count, 64)


def test_a_denoising_one_takes_noise_off():
    points = images()
    rng = np.random.default_rng(2)
    noisy = points + 0.6 * points.std() * rng.normal(size=points.shape).astype(np.float32)
    fitted = fit(
        points,
        model="dense",
        dim=16,
        hidden=(64,),
        iterations=400,
        batch=64,
        learning_rate=0.01,
        noise=0.6,
    )
    before = unexplained(points, noisy)
    assert unexplained(points, autoencoder.reconstruct(fitted.model, noisy)) < 0.5 * before


def same(one, other):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, one, other)))


def test_a_run_goes_on_from_a_checkpoint_with_the_same_bits(tmp_path):
    points = planes()
    options = {"iterations": 60, "noise": 0.1}
    expected = fit(points, **options)
    fit(points, run=Run(tmp_path, seconds=0), **options)
    (tmp_path / "00000060").rename(tmp_path / ".gone")
    found = fit(points, run=Run(tmp_path, seconds=0), **options)
    assert len(found.history.loss) == 10
    np.testing.assert_array_equal(found.history.loss, expected.history.loss[50:])
    assert same(found.model.variables, expected.model.variables)
    # Another key is another run.
    other = fit(points, key=1, **options)
    assert np.all(other.history.loss != expected.history.loss)


@pytest.mark.parametrize("options", [{"noise": 0.1}, {"model": "dense", "hidden": (7, 5)}])
def test_a_loop_of_ones_own_takes_the_same_steps(options):
    points = planes()
    asked = BASE | options | {"iterations": 30}
    training = autoencoder.start(0, points, autoencoder.Options(**asked))
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    expected = fit(points, **options, iterations=30)
    assert same(training.finish(state).model.variables, expected.model.variables)


def test_images_need_no_flattening():
    points = images()
    options = {"model": "conv", "features": (4,), "iterations": 20}
    fitted = fit(points.reshape(-1, 8, 8), **options)
    assert isinstance(fitted.model.module, ConvAutoencoder)
    given_back = autoencoder.reconstruct(fitted.model, points.reshape(-1, 8, 8))
    assert given_back.shape == (300, 8, 8)
    flat = autoencoder.reconstruct(fitted.model, points)
    np.testing.assert_array_equal(flat, given_back.reshape(300, 64))
    with pytest.raises(InputError, match='model "conv" needs images .* found points of shape'):
        fit(points, **options)


def test_a_users_own_module():
    class Own(nn.Module):
        def setup(self):
            self.narrow, self.wide = nn.Dense(3), nn.Dense(8)

        def encode(self, points):
            return self.narrow(points)

        def __call__(self, points):
            return self.wide(self.encode(points))

    fitted = fit(planes(), module=Own(), iterations=20)
    assert autoencoder.encode(fitted.model, planes()).shape == (400, 3)
    assert autoencoder.reconstruct(fitted.model, planes()).shape == (400, 8)


def test_validation_keeps_the_best_and_stops_early():
    points = planes(60)
    seen, unseen = points[:30], points[30:]
    # So fast that it leaves the best behind.
    options = {"model": "dense", "hidden": (64,), "iterations": 2000, "learning_rate": 0.03}
    options |= {"validate_every": 25, "batch": 30}
    fitted = fit(seen, validation=unseen, patience=4, **options)
    assert fitted.history.stopped_because == "no better for 4 validations"
    assert fitted.history.steps < 2000
    spread = np.square(unseen - fitted.model.mean[None]).sum()

    def left(fitted):
        return np.square(unseen - autoencoder.reconstruct(fitted.model, unseen)).sum() / spread

    # The last parameters are not the best.
    last = fit(seen, **options | {"iterations": fitted.history.steps})
    assert left(fitted) < left(last)
    for change in ({"patience": 2}, {"validate_every": 50}):
        other = fit(seen, validation=unseen, **options | {"patience": 4} | change)
        assert other.history.steps != fitted.history.steps
    with pytest.raises(InputError, match="points must have 8 numbers"):
        fit(seen, validation=unseen[:, :5], **options)


CHANGED = {
    "model": "linear",
    "dim": 3,
    "hidden": (7,),
    "noise": 0.3,
    "noise_kind": "masking",
    "iterations": 21,
    "batch": 32,
    "learning_rate": 0.01,
    "features": (3,),
}


def test_each_field_changes_the_network():
    points = planes(60)
    base = {"model": "dense", "hidden": (6,), "noise": 0.2, "iterations": 20, "batch": 16}
    one = fit(points, **base).model.variables
    for name, value in CHANGED.items():
        if name in ("model", "dim", "hidden"):
            # Seen before training.
            asked = autoencoder.Options(**BASE | base | {name: value})
            other = autoencoder.start(KEY, points, asked).state.params
            assert jax.tree.map(jnp.shape, other) != jax.tree.map(jnp.shape, one), name
        elif name != "features":
            other = fit(points, **base | {name: value}).model.variables
            assert not same(one, other), name
    one, other = (autoencoder.Options(model="conv", features=f) for f in ((2,), (3,)))
    shape = (8, 8)
    assert autoencoder.make_module(one, shape) != autoencoder.make_module(other, shape)
    # These two belong to validation.
    assert {*CHANGED, "validate_every", "patience"} == {
        field.name for field in dataclasses.fields(autoencoder.Options)
    }


@pytest.mark.parametrize(
    ("kind", "options", "share"),
    [
        ("digits", {"learning_rate": 1e-4}, 1.0),
        ("digits", {"learning_rate": 1e-2}, 0.6),
        ("digits", {"learning_rate": 1e-2, "hidden": (2048,)}, 1.0),
        ("digits", {"dim": 1, "learning_rate": 1e-2}, 0.8),
        ("digits", {"dim": 32}, 0.3),
        ("heavy", {"learning_rate": 1e-2}, 0.1),
        ("ten", {"learning_rate": 1e-2}, 0.1),
        ("wide", {"learning_rate": 1e-2, "hidden": (64,)}, 0.9),
    ],
    ids=str,
)
def test_defaults_hold_over_the_usual_range(kind, options, share):
    """Rates from a tenth to ten times the usual one, narrow and wide, on awkward points."""
    rng = np.random.default_rng(0)
    points = {
        "digits": load_digits().data[:100],
        # Cauchy's distribution, columns of very different size.
        "heavy": rng.standard_t(1, (100, 8)) * 10.0 ** np.arange(4, -4, -1),
        "ten": load_digits().data[:10],
        "wide": np.repeat(load_digits().data[:30], 80, axis=1),
    }[kind]
    asked = {"model": "dense", "iterations": 100, "hidden": (128, 32)} | options
    fitted = fit(points, **asked)
    assert np.isfinite(fitted.history.loss).all()
    assert unexplained(points, autoencoder.reconstruct(fitted.model, points)) < share


def test_what_cannot_be_used_is_refused():
    points = planes()
    bad = points.copy()
    bad[3, 1] = np.inf
    for given, options, message in (
        (bad, {}, "found inf in row 3, column 1"),
        (points[:3], {}, "at least 4 rows"),
        (points * 0 + 2, {}, "all 400 points are at the same place"),
        (points, {"iterations": 0}, "iterations must be at least 1, found 0"),
        (points, {"batch": 0}, "batch must be at least 1, found 0"),
        (points, {"learning_rate": np.nan}, "learning_rate must be more than 0 and at most 10"),
        (points, {"noise": -0.1}, "noise must be at least 0"),
        (points, {"noise": 1.5, "noise_kind": "masking"}, "at most 1, found 1.5"),
        (points, {"hidden": (0,)}, "hidden must be widths of at least 1, found 0"),
        (points, {"hidden": 5}, "hidden must be whole numbers, the widths of layers, found 5"),
        (points, {"validation": points * 0 + points.mean(axis=0, dtype=float)}, "all points for"),
    ):
        with pytest.raises(InputError, match=message):
            fit(given, **options)


def test_size_does_not_matter():
    expected, *others = (
        fit(planes() * np.float32(size), iterations=25).history.loss for size in (1, 1e-20, 1e20)
    )
    for found in others:
        np.testing.assert_allclose(found, expected, rtol=1e-3)
