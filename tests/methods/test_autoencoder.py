import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import subspace_angles

from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.methods import autoencoder
from jaxemb.models.autoencoder import DenseAutoencoder

KEY = jax.random.key(0)
LINEAR = DenseAutoencoder(8, 2, hidden=())


def planes(count=400):
    """Points near a plane in 8 dimensions, off the origin and in other units."""
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(count, 2)) * [3, 2] @ rng.normal(size=(2, 8))
    return (100 * (flat + 0.3 * rng.normal(size=(count, 8)) + 5)).astype(np.float32)


def unexplained(points, given_back):
    return np.square(points - given_back).sum() / np.square(points - points.mean(axis=0)).sum()


@pytest.fixture(scope="module")
def linear():
    return autoencoder.fit(KEY, LINEAR, planes(), iterations=600, batch=64, learning_rate=0.02)


def test_a_linear_one_finds_the_subspace_of_pca(linear):
    points = planes()
    fitted = pca.fit(jnp.asarray(points), components=2)
    found = np.asarray(linear.params["params"]["decoder_0"]["kernel"]).T
    before = LINEAR.init(KEY, jnp.zeros((1, 8)))["params"]["decoder_0"]["kernel"]
    angles = np.degrees(subspace_angles(found, np.asarray(fitted.directions)))
    assert np.degrees(subspace_angles(np.asarray(before).T, np.asarray(fitted.directions)))[0] > 20
    assert angles[0] < 1
    # So what comes out is what PCA gives back.
    scores = pca.transform(fitted, jnp.asarray(points))
    expected = unexplained(points, np.asarray(pca.inverse(fitted, scores)))
    ours = unexplained(points, autoencoder.reconstruct(LINEAR, linear, points))
    assert expected <= ours * (1 + 1e-5)
    assert ours < 1.02 * expected
    # A batch's share differs from that of all points by sampling.
    np.testing.assert_allclose(linear.loss[-50:].mean(), ours, rtol=0.1)


def test_codes_are_of_points_new_or_old(linear):
    points = planes()
    codes = autoencoder.encode(LINEAR, linear, points)
    assert codes.shape == (400, 2)
    np.testing.assert_allclose(
        autoencoder.encode(LINEAR, linear, points[7:9]), codes[7:9], atol=1e-5
    )


def test_a_bent_line_needs_hidden_layers():
    turn = np.random.default_rng(0).uniform(0, 1.5 * np.pi, 500)
    points = np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn)], axis=1).astype(np.float32)
    left = {}
    for hidden in ((), (32, 32)):
        module = DenseAutoencoder(3, 1, hidden=hidden)
        fitted = autoencoder.fit(KEY, module, points, iterations=800, batch=64, learning_rate=0.01)
        left[hidden] = unexplained(points, autoencoder.reconstruct(module, fitted, points))
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
    module = DenseAutoencoder(64, 16, hidden=(64,))
    rng = np.random.default_rng(2)
    noisy = points + 0.6 * points.std() * rng.normal(size=points.shape).astype(np.float32)
    fitted = autoencoder.fit(
        KEY, module, points, iterations=400, batch=64, learning_rate=0.01, noise=0.6
    )
    before = unexplained(points, noisy)
    assert unexplained(points, autoencoder.reconstruct(module, fitted, noisy)) < 0.5 * before


def test_a_run_goes_on_from_a_checkpoint_with_the_same_bits(tmp_path):
    points = planes()
    options = {"iterations": 60, "noise": 0.1}
    expected = autoencoder.fit(KEY, LINEAR, points, **options)
    autoencoder.fit(KEY, LINEAR, points, checkpoints=tmp_path, checkpoint_every=20, **options)
    (tmp_path / "00000060").rename(tmp_path / ".gone")
    found = autoencoder.fit(KEY, LINEAR, points, checkpoints=tmp_path, **options)
    assert len(found.loss) == 20
    np.testing.assert_array_equal(found.loss, expected.loss[40:])
    same = jax.tree.map(np.array_equal, found.params, expected.params)
    assert all(jax.tree.leaves(same))
    # Another key is another run.
    other = autoencoder.fit(jax.random.key(1), LINEAR, points, **options)
    assert np.all(other.loss != expected.loss)


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
        (points, {"learning_rate": np.nan}, "learning_rate must be finite and more than 0"),
        (points, {"noise": -0.1}, "noise must be at least 0"),
        (points, {"noise": 1.5, "kind": "masking"}, "a share at most 1, found 1.5"),
        (points, {"learning_rate": 1e4, "iterations": 200}, "the loss .* with learning rate"),
    ):
        with pytest.raises(InputError, match=message):
            autoencoder.fit(KEY, LINEAR, given, **options)


def test_size_does_not_matter():
    expected, *others = (
        autoencoder.fit(KEY, LINEAR, planes() * np.float32(size), iterations=25).loss
        for size in (1, 1e-20, 1e20)
    )
    for found in others:
        np.testing.assert_allclose(found, expected, rtol=1e-3)
