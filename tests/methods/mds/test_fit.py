import dataclasses
import os
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.manifold import smacof

from jaxemb import memory
from jaxemb.errors import InputError, StoppedEarly
from jaxemb.losses.stress import raw_stress, sammon_stress
from jaxemb.methods import mds, sammon
from jaxemb.projections.distance_matrix import distance_matrix
from jaxemb.projections.mds import classical
from jaxemb.training.run import Run

N, D = 40, 6
KEY = jax.random.key(0)


def fit(distances, *, key=KEY, positions=None, run=None, **options):
    if options.get("method") == "sammon":
        del options["method"]
        asked = sammon.Options(metric="precomputed", **options)
        return sammon.fit(key, distances, asked, positions=positions, run=run)
    asked = mds.Options(metric="precomputed", **options)
    return mds.fit(key, distances, asked, positions=positions, run=run)


@pytest.fixture(scope="module")
def distances():
    rng = np.random.default_rng(0)
    return distance_matrix((rng.normal(size=(N, D)) * np.linspace(3, 1, D)).astype(np.float32))


def stress_of(fitted, distances, loss=raw_stress):
    return float(loss(jnp.asarray(fitted.embedding), jnp.asarray(distances)))


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
    ours = fit(distances, iterations=30, tolerance=0, positions=start)
    assert len(ours.stress) == 30
    assert ours.history.stopped_because == "done"
    # float32, and thirty steps in which errors grow.
    np.testing.assert_allclose(stress_of(ours, distances), stress, rtol=1e-4)
    np.testing.assert_allclose(ours.embedding, theirs, atol=0.02)


@pytest.mark.parametrize("method", ["smacof", "sammon"])
def test_the_stress_never_rises(distances, method):
    fitted = fit(distances, method=method, iterations=60, tolerance=0, initialization="random")
    # Only by the rounding of its sum.
    assert (np.diff(fitted.stress) <= 1e-5 * fitted.stress[:-1]).all()
    assert fitted.stress[-1] < 0.5 * fitted.stress[0]


def test_all_methods_converge_and_agree(distances):
    smooth = fit(distances, tolerance=1e-4)
    descent = fit(distances, method="gradient", tolerance=1e-4)
    for fitted in (smooth, descent):
        assert fitted.history.stopped_because == "converged"
        assert 10 <= len(fitted.stress) < 300
        assert fitted.embedding.dtype == np.float32
        np.testing.assert_allclose(fitted.embedding.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(
        stress_of(descent, distances), stress_of(smooth, distances), rtol=0.02
    )
    # Each is better than the other by its own measure.
    small = fit(distances, method="sammon", tolerance=1e-4)
    assert stress_of(small, distances) > stress_of(smooth, distances)
    assert stress_of(small, distances, sammon_stress) < stress_of(smooth, distances, sammon_stress)


def test_gradient_descent_without_momentum_is_smacof(distances):
    options = {"iterations": 20, "tolerance": 0, "initialization": "random"}
    one = fit(distances, **options)
    other = fit(distances, method="gradient", momentum=0.0, **options)
    np.testing.assert_allclose(one.stress, other.stress, rtol=1e-3)


@pytest.mark.parametrize("size", [1e-20, 1e20])
def test_size_does_not_matter(distances, size):
    expected = fit(distances, iterations=10)
    found = fit(distances * np.float32(size), iterations=10)
    np.testing.assert_allclose(found.embedding / size, expected.embedding, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.stress / size**2, expected.stress, rtol=1e-3)


def test_a_plane_is_found(distances):
    plane = np.random.default_rng(2).normal(size=(N, 2)).astype(np.float32)
    wanted = distance_matrix(plane)
    fitted = fit(wanted, tolerance=1e-5)
    assert fitted.history.stopped_because == "converged"
    np.testing.assert_allclose(distance_matrix(fitted.embedding), wanted, atol=1e-3)


def test_points_that_classical_scaling_puts_together_are_parted():
    """Of the corners of a simplex it makes a cloud with several at one place."""
    wanted = np.ones((5, 5)) - np.eye(5)
    fitted = fit(wanted, dim=1, positions=np.zeros((5, 1)), iterations=50)
    assert not np.any(fitted.embedding)
    fitted = fit(wanted, dim=1, iterations=50)
    found = np.abs(fitted.embedding - fitted.embedding.T)
    assert found[~np.eye(5, dtype=bool)].min() > 0.1


def test_the_same_key_gives_the_same_bits(distances):
    options = {"initialization": "random", "iterations": 20}
    one = fit(distances, **options)
    again = fit(distances, **options)
    np.testing.assert_array_equal(one.embedding, again.embedding)
    other = fit(distances, key=1, **options)
    assert np.any(one.embedding != other.embedding)


def test_a_signal_ends_it_with_what_there_is(distances):
    seen = []

    def report(done, metrics, seconds):
        seen.append((done, metrics["loss"][-1]))
        if done == 20:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.warns(StoppedEarly, match="stopped by SIGINT at step 20 of 300"):
        fitted = fit(distances, tolerance=0, run=Run(report=report))
    assert fitted.history.stopped_because == "SIGINT"
    assert [done for done, _ in seen] == [10, 20]
    assert len(fitted.stress) == 20
    # The steps' unit is a power of two.
    ratio = fitted.stress[-1] / seen[-1][1]
    assert ratio == 2 ** round(np.log2(ratio))


@pytest.mark.parametrize("method", ["smacof", "gradient", "sammon"])
def test_a_loop_of_ones_own_takes_the_same_steps(distances, method):
    options = {"dim": 2, "tolerance": 0, "iterations": 23, "initialization": "random"}
    if method == "sammon":
        start, asked = sammon.start, sammon.Options(metric="precomputed", **options)
    else:
        start, asked = mds.start, mds.Options(method=method, metric="precomputed", **options)
    training = start(0, distances, asked)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    own = training.finish(state)
    expected = fit(distances, method=method, **options)
    np.testing.assert_array_equal(own.embedding, expected.embedding)
    np.testing.assert_array_equal(own.stress, expected.stress)


@pytest.mark.parametrize("method", ["smacof", "gradient", "sammon"])
def test_a_run_cut_in_the_middle_ends_the_same(distances, method, tmp_path):
    options = {"method": method, "tolerance": 1e-3, "initialization": "random"}
    expected = fit(distances, **options)
    assert expected.history.stopped_because == "converged"
    assert expected.history.steps >= 30

    class Killed(Exception):
        pass

    def die(done, metrics, seconds):
        if done > 10:
            raise Killed

    with pytest.raises(Killed):
        fit(distances, run=Run(tmp_path, seconds=0, report=die), **options)
    found = fit(distances, run=Run(tmp_path, seconds=0), **options)
    assert len(found.history.loss) == expected.history.steps - 10
    np.testing.assert_array_equal(found.embedding, expected.embedding)
    np.testing.assert_array_equal(found.stress, expected.stress)
    # Finished, it is finished again: that it has converged is part of the state.
    again = fit(distances, run=Run(tmp_path, seconds=0), **options)
    assert again.history.stopped_because == "converged"
    assert len(again.history.loss) == 0
    np.testing.assert_array_equal(again.embedding, expected.embedding)


def test_points_are_mapped_by_their_distances():
    points = np.random.default_rng(3).normal(size=(N, D))
    for method in (mds, sammon):
        one = method.fit(KEY, points, method.Options(iterations=20))
        asked = method.Options(metric="precomputed", iterations=20)
        other = method.fit(KEY, distance_matrix(points), asked)
        np.testing.assert_array_equal(one.embedding, other.embedding)


def test_classical_scaling_is_a_method(distances):
    fitted = fit(distances, method="classical")
    expected = classical(distances, dim=2)[0]
    np.testing.assert_array_equal(fitted.embedding, expected)
    assert len(fitted.stress) == 0
    with pytest.raises(InputError, match='method "classical" has no steps'):
        mds.start(0, distances, mds.Options(method="classical", metric="precomputed"))


CHANGED = {
    "smacof": {
        "dim": 3,
        "iterations": 10,
        "tolerance": 0.0,
        "window": 4,
        "initialization": "random",
        "noise": 0.1,
        "method": "gradient",
    },
    "gradient": {"learning_rate": 0.5, "momentum": 0.5},
    "sammon": {
        "dim": 3,
        "iterations": 10,
        "tolerance": 0.0,
        "window": 4,
        "initialization": "random",
        "noise": 0.1,
        "magic_factor": 0.1,
        "halvings": 0,
    },
}


@pytest.mark.parametrize("method", list(CHANGED))
def test_each_field_changes_the_map(distances, method):
    begin = {"tolerance": 1e-3}
    if method == "sammon":
        # Far enough that steps are halved.
        begin["magic_factor"] = 1.5
    base = fit(distances, method=method, **begin)
    for name, value in CHANGED[method].items():
        other = fit(distances, **{"method": method} | begin | {name: value})
        assert not np.array_equal(base.embedding, other.embedding), name


def test_rounding_ends_a_perfect_map():
    plane = distance_matrix(np.random.default_rng(2).normal(size=(N, 2)).astype(np.float32))
    for method in ("smacof", "sammon"):
        one, other = (fit(plane, method=method, tolerance=1e-9, rounding=r) for r in (0.0, 0.01))
        assert other.history.steps < one.history.steps


def test_every_field_is_changed_by_a_test():
    # "metric" says what is given, "subset" belongs to samples of pairs.
    tested = {"metric", "rounding", *CHANGED["smacof"], *CHANGED["gradient"], "subset"}
    assert tested == {field.name for field in dataclasses.fields(mds.Options)}
    tested = {"metric", "rounding", *CHANGED["sammon"]}
    assert tested == {field.name for field in dataclasses.fields(sammon.Options)}


@pytest.mark.parametrize("rate", [0.1, 3.0, 10.0, 100.0])
def test_gradient_descent_finds_rates_that_are_short_enough(distances, rate):
    told = []
    run = Run(report=lambda done, metrics, _: told.append(metrics))
    fitted = fit(distances, method="gradient", learning_rate=rate, run=run)
    least = fit(distances, method="smacof").stress[-1]
    assert stress_of(fitted, distances) < 1.05 * least
    assert (fitted.stress <= fitted.stress[0]).all()
    rates = np.concatenate([metrics["learning_rate"] for metrics in told])
    halvings = np.log2(rate / rates)
    assert halvings[0] == 0
    assert (np.diff(halvings) >= 0).all()
    assert rates[-1] <= 2 * (1 + mds.Options.momentum)


@pytest.mark.parametrize("factor", [0.035, 3.5])
def test_any_share_of_newtons_step_lowers_the_stress(distances, factor):
    usual, fitted = (fit(distances, method="sammon", magic_factor=at) for at in (0.35, factor))
    assert fitted.stress[-1] < 1.05 * usual.stress[-1]


@pytest.mark.parametrize("method", ["smacof", "gradient", "sampled", "sammon"])
@pytest.mark.parametrize("kind", ["tight", "heavy", "outlier", "ten"])
def test_defaults_hold_on_awkward_points(method, kind):
    """No map is worse than that of classical scaling."""
    rng = np.random.default_rng(0)
    points = {
        "tight": rng.normal(size=(5, 6))[np.arange(N) % 5] + 1e-3 * rng.normal(size=(N, 6)),
        # Cauchy's distribution, columns of very different size.
        "heavy": rng.standard_t(1, (N, 8)) * 10.0 ** np.arange(4, -4, -1),
        "outlier": rng.normal(size=(N, 3)) * (1 + 1e6 * (np.arange(N) == 0))[:, None],
        "ten": rng.normal(size=(10, 12)),
    }[kind]
    wanted = distance_matrix(points)
    plain, _ = classical(wanted, dim=2)
    if method == "sammon":
        fitted, loss = sammon.fit(0, points), sammon_stress
    else:
        iterations = 300 if method == "sampled" else None
        fitted, loss = mds.fit(0, points, mds.Options(method, iterations=iterations)), raw_stress
    assert np.isfinite(fitted.embedding).all()
    before, after = (float(loss(jnp.asarray(at), wanted)) for at in (plain, fitted.embedding))
    assert after <= before * (1 + 1e-3)


def test_equal_points_are_sammons_trouble(distances):
    wanted = distances.copy()
    wanted[3, 8] = wanted[8, 3] = 0
    message = "1 pairs of points have distance 0.* the first in rows 3 and 8; keep one"
    with pytest.raises(InputError, match=message):
        fit(wanted, method="sammon")
    assert np.isfinite(fit(wanted, iterations=5).embedding).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "dim must be at least 1, found 0"),
        ({"dim": N}, "dim must be from 1 to 39, less than the points, found 40"),
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"tolerance": np.nan}, "tolerance must be at least 0 and at most 0.1, found nan"),
        ({"initialization": "spectral"}, "initialization must be .* found 'spectral'"),
        ({"window": 1}, "window must be at least 2"),
        ({"momentum": 1.0}, "momentum must be at least 0 and at most 0.999"),
        ({"method": "sampled"}, 'metric must be "euclidean"'),
        ({"positions": np.zeros((N, 3))}, "the start must be 40 x 2, .* found 40 x 3"),
        ({"positions": np.full((N, 2), np.inf)}, "the start must be finite"),
    ],
)
def test_what_cannot_be_used_is_refused(distances, options, message):
    with pytest.raises(InputError, match=message):
        fit(distances, **options)


def test_bad_distances_are_refused(distances):
    for wanted, message in (
        (distances * 0, "all 40 points are at the same place"),
        (distances[:3, :3], "at least 4 rows"),
        (np.where(distances > 3, np.nan, distances), "must be finite"),
    ):
        with pytest.raises(InputError, match=message):
            fit(wanted)


def test_memory_is_asked_for_first(distances, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    with pytest.raises(InputError, match="a map of 40 points that looks at all pairs: about"):
        fit(distances)
