import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.methods import mds
from jaxemb.training.run import Run

N, D = 120, 6
KEY = jax.random.key(0)


def draw():
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(N, D)) * np.linspace(3, 1, D)).astype(np.float32)
    return points, rng.normal(size=(N, 2)).astype(np.float32)


def fit(points, *, start=None, run=None, **options):
    asked = mds.Options(method="sampled", **options)
    return mds.fit(KEY, points, asked, positions=start, run=run)


def stress(points, fitted):
    return np.square(pdist(points) - pdist(fitted.embedding)).sum()


def test_samples_of_pairs_lead_where_all_pairs_lead():
    points, start = draw()
    best = mds.fit(KEY, points, mds.Options(tolerance=1e-6))
    fitted = fit(points, start=start, subset=24, iterations=1000)
    assert len(fitted.stress) == 1000
    assert fitted.history.stopped_because == "done"
    assert stress(points, fitted) < 1.1 * stress(points, best)
    # Before each iteration it is estimated from 276 of 7,140 pairs, the last hundred times nearly
    # that of the same map.
    estimate = fitted.stress[-100:].mean()
    np.testing.assert_allclose(estimate, stress(points, fitted), rtol=0.05)


def test_the_whole_as_a_sample_is_smacof():
    points, start = draw()
    one = fit(points, start=start, subset=10**6, iterations=1)
    other = mds.fit(KEY, points, mds.Options(iterations=1), positions=start)
    np.testing.assert_allclose(one.embedding, other.embedding, atol=1e-3)


def test_size_does_not_matter_nor_place():
    points, start = draw()
    expected = fit(points, start=start, subset=30, iterations=20)
    for size, place in ((1e20, 0), (1e-20, 0), (1, 64)):
        found = fit(
            (points + np.float32(place)) * np.float32(size),
            start=start * np.float32(size),
            subset=30,
            iterations=20,
        )
        np.testing.assert_allclose(found.embedding / size, expected.embedding, atol=0.01)


def test_what_cannot_be_used_is_refused():
    points, start = draw()
    bad = points.copy()
    bad[7, 2] = np.nan
    for changes, message in (
        ({"points": bad}, "found nan in row 7, column 2"),
        ({"points": points[:3]}, "at least 4 rows"),
        ({"points": points * 0 + 3}, "all 120 points are at the same place"),
        ({"start": start[:, :1]}, "the start must be 120 x 2"),
        ({"subset": 1}, "subset must be at least 2"),
        ({"dim": 0}, "dim must be at least 1"),
    ):
        arguments = {"points": points, "start": start} | changes
        with pytest.raises(InputError, match=message):
            fit(**arguments)


def test_points_start_by_their_principal_components_or_at_random():
    points, _ = draw()
    table = jnp.asarray(points)
    start = np.asarray(pca.transform(pca.fit(table, components=2), table))
    options = {"subset": 30, "iterations": 20}
    one = fit(points, **options)
    np.testing.assert_array_equal(one.embedding, fit(points, start=start, **options).embedding)
    for size in (1, 1e20):
        drawn = fit(points * np.float32(size), initialization="random", **options)
        assert np.isfinite(drawn.embedding).all()
        assert not np.array_equal(one.embedding, drawn.embedding)
    with pytest.raises(InputError, match="dim must be at most 6, the width of the points"):
        fit(points, dim=7)


def test_the_subset_and_the_iterations_change_the_map():
    points, start = draw()
    base = {"start": start, "subset": 30, "iterations": 20}
    one = fit(points, **base)
    for change in ({"subset": 31}, {"iterations": 21}):
        assert not np.array_equal(one.embedding, fit(points, **base | change).embedding)


def test_a_loop_of_ones_own_takes_the_same_steps():
    points, start = draw()
    options = {"subset": 30, "iterations": 23}
    training = mds.start(KEY, points, mds.Options(method="sampled", **options), positions=start)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    expected = fit(points, start=start, **options)
    np.testing.assert_array_equal(training.finish(state).embedding, expected.embedding)


def test_a_run_cut_in_the_middle_ends_the_same(tmp_path):
    points, start = draw()
    options = {"start": start, "subset": 30, "iterations": 25}

    class Killed(Exception):
        pass

    def die(done, metrics, seconds):
        if done > 10:
            raise Killed

    with pytest.raises(Killed):
        fit(points, run=Run(tmp_path, seconds=0, report=die), **options)
    found = fit(points, run=Run(tmp_path, seconds=0), **options)
    expected = fit(points, **options)
    assert len(found.history.loss) == 15
    np.testing.assert_array_equal(found.embedding, expected.embedding)
    np.testing.assert_array_equal(found.stress, expected.stress)
