import os
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.manifold import smacof

from jaxemb import memory
from jaxemb.errors import InputError
from jaxemb.losses.stress import raw_stress, sammon_stress
from jaxemb.methods.mds import fit as mds
from jaxemb.projections.distance_matrix import distance_matrix

N, D = 40, 6
KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def distances():
    rng = np.random.default_rng(0)
    return distance_matrix((rng.normal(size=(N, D)) * np.linspace(3, 1, D)).astype(np.float32))


def stress_of(fitted, distances, loss=raw_stress):
    return float(loss(jnp.asarray(fitted.positions), jnp.asarray(distances)))


def test_smacof_is_scikit_learns(distances):
    start = np.random.default_rng(1).normal(size=(N, 2))
    start -= start.mean(axis=0)
    theirs, stress = smacof(
        distances.astype(np.float64),
        n_components=2,
        init=start.copy(),
        n_init=1,
        max_iter=30,
        eps=1e-300,
        normalized_stress=False,
    )
    ours = mds.fit(KEY, distances, iterations=30, tolerance=0, initialization=start)
    assert len(ours.stress) == 30
    assert ours.stopped_because == "iterations done"
    # float32, and thirty steps in which errors grow.
    np.testing.assert_allclose(stress_of(ours, distances), stress, rtol=1e-4)
    np.testing.assert_allclose(ours.positions, theirs, atol=0.02)


@pytest.mark.parametrize("method", ["smacof", "sammon"])
def test_the_stress_never_rises(distances, method):
    fitted = mds.fit(
        KEY, distances, method=method, iterations=60, tolerance=0, initialization="random"
    )
    # Only by the rounding of its sum.
    assert (np.diff(fitted.stress) <= 1e-5 * fitted.stress[:-1]).all()
    assert fitted.stress[-1] < 0.5 * fitted.stress[0]


def test_all_methods_converge_and_agree(distances):
    smooth = mds.fit(KEY, distances, tolerance=1e-4)
    descent = mds.fit(KEY, distances, method="gradient", tolerance=1e-4)
    for fitted in (smooth, descent):
        assert fitted.stopped_because == "converged"
        assert 10 <= len(fitted.stress) < 300
        assert fitted.positions.dtype == np.float32
        np.testing.assert_allclose(fitted.positions.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(
        stress_of(descent, distances), stress_of(smooth, distances), rtol=0.02
    )
    # Each is better than the other by its own measure.
    small = mds.fit(KEY, distances, method="sammon", tolerance=1e-4)
    assert stress_of(small, distances) > stress_of(smooth, distances)
    assert stress_of(small, distances, sammon_stress) < stress_of(smooth, distances, sammon_stress)


def test_gradient_descent_without_momentum_is_smacof(distances):
    options = {"iterations": 20, "tolerance": 0, "initialization": "random"}
    one = mds.fit(KEY, distances, **options)
    other = mds.fit(KEY, distances, method="gradient", momentum=0.0, **options)
    np.testing.assert_allclose(one.stress, other.stress, rtol=1e-3)


@pytest.mark.parametrize("size", [1e-20, 1e20])
def test_size_does_not_matter(distances, size):
    expected = mds.fit(KEY, distances, iterations=10)
    found = mds.fit(KEY, distances * np.float32(size), iterations=10)
    np.testing.assert_allclose(found.positions / size, expected.positions, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.stress / size**2, expected.stress, rtol=1e-3)


def test_a_plane_is_found(distances):
    plane = np.random.default_rng(2).normal(size=(N, 2)).astype(np.float32)
    wanted = distance_matrix(plane)
    fitted = mds.fit(KEY, wanted, tolerance=1e-5)
    assert fitted.stopped_because == "converged"
    np.testing.assert_allclose(distance_matrix(fitted.positions), wanted, atol=1e-3)


def test_points_that_classical_scaling_puts_together_are_parted():
    """Of the corners of a simplex it makes a cloud with several at one place."""
    wanted = np.ones((5, 5)) - np.eye(5)
    fitted = mds.fit(KEY, wanted, dim=1, initialization=np.zeros((5, 1)), iterations=50)
    assert not np.any(fitted.positions)
    fitted = mds.fit(KEY, wanted, dim=1, iterations=50)
    found = np.abs(fitted.positions - fitted.positions.T)
    assert found[~np.eye(5, dtype=bool)].min() > 0.1


def test_the_same_key_gives_the_same_bits(distances):
    options = {"initialization": "random", "iterations": 20}
    one = mds.fit(KEY, distances, **options)
    again = mds.fit(KEY, distances, **options)
    np.testing.assert_array_equal(one.positions, again.positions)
    other = mds.fit(jax.random.key(1), distances, **options)
    assert np.any(one.positions != other.positions)


def test_a_signal_ends_it_with_what_there_is(distances):
    seen = []

    def report(done, stress):
        seen.append((done, stress))
        if done == 20:
            os.kill(os.getpid(), signal.SIGINT)

    fitted = mds.fit(KEY, distances, tolerance=0, report=report)
    assert fitted.stopped_because == "SIGINT"
    assert [done for done, _ in seen] == [10, 20]
    assert seen[-1][1] == fitted.stress[-1]
    assert len(fitted.stress) == 20


def test_a_rate_too_large_is_named(distances):
    with pytest.raises(InputError, match=r"exploded .* with learning rate 6; a smaller"):
        mds.fit(KEY, distances, method="gradient", learning_rate=6.0)


def test_equal_points_are_sammons_trouble(distances):
    wanted = distances.copy()
    wanted[3, 8] = wanted[8, 3] = 0
    message = "1 pairs of points have distance 0.* the first in rows 3 and 8; keep one"
    with pytest.raises(InputError, match=message):
        mds.fit(KEY, wanted, method="sammon")
    assert np.isfinite(mds.fit(KEY, wanted, iterations=5).positions).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "dim must be from 1 to 39"),
        ({"dim": N}, "dim must be from 1 to 39, less than the points, found 40"),
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"tolerance": np.nan}, "tolerance must be at least 0 and less than 1, found nan"),
        ({"initialization": "spectral"}, "initialization must be .* found 'spectral'"),
        ({"initialization": np.zeros((N, 3))}, "the start must be 40 x 2, .* found 40 x 3"),
        ({"initialization": np.full((N, 2), np.inf)}, "the start must be finite"),
    ],
)
def test_what_cannot_be_used_is_refused(distances, options, message):
    with pytest.raises(InputError, match=message):
        mds.fit(KEY, distances, **options)


def test_bad_distances_are_refused(distances):
    for wanted, message in (
        (distances * 0, "all 40 points are at the same place"),
        (distances[:3, :3], "at least 4 rows"),
        (np.where(distances > 3, np.nan, distances), "must be finite"),
    ):
        with pytest.raises(InputError, match=message):
            mds.fit(KEY, wanted)


def test_memory_is_asked_for_first(distances, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    with pytest.raises(InputError, match="a map of 40 points that looks at all pairs: about"):
        mds.fit(KEY, distances)
