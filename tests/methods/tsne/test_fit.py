import re
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from jaxemb.errors import InputError
from jaxemb.losses.tsne_kl import tsne_kl
from jaxemb.methods.tsne import fit as tsne
from jaxemb.methods.tsne import programs as tsne_programs
from jaxemb.methods.tsne.fit import affinities_of, fit, jittered
from jaxemb.methods.tsne.sweep import sweep
from jaxemb.projections.affinities import dense
from jaxemb.projections.grid import Mesh, capacity
from jaxemb.projections.repulsion import FAST
from jaxemb.training import before_loop as loop

# One program for all tests that don't say otherwise: few points are summed over all pairs.
N = 150
SHORT = {"perplexity": 12.0, "iterations": 120, "early_iterations": 50, "measure_every": 25}


def made(points=N):
    values, labels = load_digits(return_X_y=True)
    return values[:points].astype(np.float32), labels[:points]


def short(points=None, seed=0, **options):
    points = made()[0] if points is None else points
    return fit(jax.random.key(seed), points, **(SHORT | options))


def neighbors_with_the_same_label(embedding, labels):
    found = KNeighborsClassifier(4).fit(embedding, labels).kneighbors()[1]
    return np.mean(labels[found] == labels[:, None])


@pytest.fixture
def small_grids(monkeypatch):
    """Makes a few points take several sizes of grid, as many points do."""
    monkeypatch.setattr(tsne_programs, "_PAIR", 1e9)
    monkeypatch.setattr(tsne_programs, "_SMALLEST", (0, 16, 16, 16))


def test_a_map_shows_what_belongs_together():
    points, labels = made()
    fitted = short()
    start = neighbors_with_the_same_label(short(iterations=1).embedding, labels)
    assert neighbors_with_the_same_label(fitted.embedding, labels) > max(0.88, start + 0.1)
    assert fitted.embedding.shape == (N, 2)
    assert fitted.embedding.dtype == np.float32
    np.testing.assert_allclose(fitted.embedding.mean(axis=0), 0, atol=1e-3)
    assert fitted.iterations == 120
    assert fitted.stopped_because == "iterations done"
    np.testing.assert_array_equal(fitted.kl_trace[:, 0], [0, 25, 50, 75, 100, 120])
    assert fitted.kl_trace[-1, 1] == fitted.kl < fitted.kl_trace[0, 1] / 3
    assert set(fitted.seconds) == {"neighbours", "affinities", "initialization", "optimisation"}
    shown = affinities_of(points, perplexity=12.0)
    kl = tsne_kl(jnp.asarray(fitted.embedding), dense(shown.graph))
    np.testing.assert_allclose(fitted.kl, kl, rtol=1e-4)
    np.testing.assert_allclose(fitted.affinities.perplexity, 12, rtol=1e-4)


def test_the_order_of_the_data_is_kept(small_grids):
    """A map in one dimension of points on a line is in their order, whatever that of the rows."""
    rng = np.random.default_rng(0)
    line = rng.permutation(np.linspace(0, 30, 120)).astype(np.float32)[:, None] * [1, 2, -1]
    fitted = fit(jax.random.key(0), line.astype(np.float32), perplexity=10, dim=1, iterations=300)
    by_map = np.argsort(fitted.embedding[:, 0])
    order = line[by_map, 0]
    if order[0] > order[-1]:
        order = order[::-1]
    assert np.mean(np.diff(order) > 0) > 0.95


def test_grids_and_all_pairs_make_as_good_maps(small_grids):
    on_grid, exact = short(), short(mesh=None)
    assert abs(on_grid.kl - exact.kl) < 0.1 * exact.kl


def test_three_dimensions_show_more_than_two():
    flat, solid = (short(dim=dim, iterations=500) for dim in (2, 3))
    assert solid.embedding.shape == (N, 3)
    assert solid.kl < 0.9 * flat.kl


def test_any_cut_of_a_run_takes_the_same_steps(small_grids, tmp_path, monkeypatch):
    """Though the map grows through several grids."""
    asked = []
    original = tsne_programs._way

    def note(*arguments):
        asked.append(original(*arguments))
        return asked[-1]

    monkeypatch.setattr(tsne_programs, "_way", note)
    seen = {}
    whole = short(callback=lambda step, y: seen.__setitem__(step, y.copy()), callback_every=30)
    assert len({way.nodes for way in asked}) >= 3
    assert list(seen) == [30, 60, 90, 120]
    np.testing.assert_array_equal(seen[120], whole.embedding)
    monkeypatch.setattr(tsne, "CALL_STEPS", 7)

    class Killed(Exception):
        pass

    def kill(done, metrics, seconds):
        if done >= 80:
            raise Killed

    # Killed at 84, it goes on from 80.
    with pytest.raises(Killed):
        short(checkpoints=tmp_path, checkpoint_every=40, report=kill)
    resumed = short(checkpoints=tmp_path, checkpoint_every=40)
    np.testing.assert_array_equal(resumed.embedding, whole.embedding)
    assert resumed.kl == whole.kl
    assert resumed.kl_trace[0, 0] == 50


def test_a_signal_ends_a_run_and_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tsne, "CALL_STEPS", 40)

    def stop(done, metrics, seconds):
        if done == 80:
            signal.raise_signal(signal.SIGTERM)

    fitted = short(report=stop, checkpoints=tmp_path)
    assert fitted.stopped_because == "SIGTERM"
    assert fitted.iterations == 80
    assert fitted.kl_trace[-1, 0] == 80
    np.testing.assert_array_equal(short(checkpoints=tmp_path).embedding, short().embedding)
    again = short(checkpoints=tmp_path)
    np.testing.assert_array_equal(again.embedding, short().embedding)
    assert again.iterations == 120
    assert again.stopped_because == "iterations done"


def test_a_short_gradient_ends_a_run_and_is_named():
    fitted = short(min_gradient_norm=0.01, iterations=2000)
    assert fitted.stopped_because == "gradient norm below 0.01"
    assert 50 < fitted.iterations < 2000
    np.testing.assert_array_equal(short(iterations=fitted.iterations).embedding, fitted.embedding)


def test_several_perplexities_at_once():
    fitted = short(perplexity=(5.0, 20.0))
    np.testing.assert_allclose(fitted.affinities.perplexity, 12.5, rtol=1e-3)
    assert np.isfinite(fitted.kl)


@pytest.mark.parametrize("initialization", ["spectral", "random", "given"])
def test_other_starts_make_as_good_maps(initialization):
    points, labels = made()
    if initialization == "given":
        initialization = points[:, [20, 30]] * 5
    fitted = short(initialization=initialization)
    assert neighbors_with_the_same_label(fitted.embedding, labels) > 0.8


def test_a_sweep_is_single_runs_bit_for_bit():
    points, _ = made()
    keys = [jax.random.key(4), jax.random.key(5)]
    rates, perplexities = [None, 9.0], [12.0, 7.0]
    short_ones = {name: SHORT[name] for name in ("iterations", "early_iterations")}
    maps = sweep(keys, points, perplexities=perplexities, learning_rates=rates, **short_ones)
    for i, key in enumerate(keys):
        single = fit(
            key, points, perplexity=perplexities[i], learning_rate=rates[i], mesh=None, **short_ones
        )
        np.testing.assert_array_equal(maps.embeddings[i], single.embedding)
        np.testing.assert_allclose(maps.kl[i], single.kl, rtol=1e-5)
    together = sweep(
        keys, points, perplexities=perplexities, learning_rates=rates, vmap=True, **short_ones
    )
    np.testing.assert_allclose(together.kl, maps.kl, rtol=0.15)
    with pytest.raises(InputError, match="as many keys as perplexities and learning rates"):
        sweep(keys, points, perplexities=[5.0], learning_rates=rates)
    with pytest.raises(InputError, match="run 1 exploded"):
        sweep(keys, points, perplexities=perplexities, learning_rates=[None, 1e9], **short_ones)


@pytest.mark.parametrize("rate", [1e5, 1e9, 1e30])
def test_a_learning_rate_that_explodes_is_named(rate, small_grids):
    message = "the map exploded: .*" + re.escape(f"with learning rate {rate:.3g}; a smaller one")
    with pytest.raises(InputError, match=message):
        short(learning_rate=rate)
    with pytest.raises(InputError, match=message):
        short(learning_rate=rate, mesh=None)


@pytest.mark.parametrize("places", [1, 3, 9])
def test_points_in_few_places_are_refused_and_jitter_parts_them(places):
    few = np.repeat(made(places)[0], -(-N // places), axis=0)
    with pytest.raises(InputError, match="nothing tells these apart.*jitter"):
        short(few)
    fitted = short(few, jitter=0.05)
    assert np.isfinite(fitted.embedding).all()
    assert len(np.unique(fitted.embedding, axis=0)) == len(few)


def test_jitter_has_the_deviation_asked_for():
    key, points = jax.random.key(0), np.random.default_rng(0).normal(size=(5000, 3)) * 7
    noise = jittered(key, points.astype(np.float32), 0.1) - points
    np.testing.assert_allclose(noise.std(), 0.7, rtol=0.02)
    np.testing.assert_allclose(jittered(key, np.ones_like(points), 0.1).std(), 0.1, rtol=0.02)
    assert jittered(key, points, 0) is points


def test_awkward_points_are_mapped():
    points, labels = made()
    # As many as elsewhere: much is then compiled already.
    double = np.concatenate([points[:-42], points[:40], np.ones((2, 64), np.float32)])
    for awkward in (
        double,
        np.concatenate([points, np.full((N, 2), 3e9, np.float32)], axis=1),
        points * np.float32(1e20),
        points.astype(np.float64) * 1e200,
    ):
        fitted = short(awkward)
        assert np.isfinite(fitted.embedding).all()
        own = N - 42 if awkward is double else N
        assert neighbors_with_the_same_label(fitted.embedding[:own], labels[:own]) > 0.8
    assert np.isfinite(short(points[:4], perplexity=1.2).embedding).all()


def with_gap():
    points = made()[0].copy()
    points[7, 2] = np.inf
    return points


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (with_gap(), {}, "found inf in row 7, column 2; 1 such values"),
        (made()[0], {"perplexity": 50}, "less than a third of the 150 points, found 50"),
        (made()[0], {"perplexity": 0}, "perplexity must be from 1"),
        (made()[0], {"perplexity": np.nan}, "perplexity must be from 1.*found nan"),
        (made()[0], {"perplexity": ()}, "perplexity must be"),
        (made()[0], {"perplexity": (5.0, -1.0)}, "found -1"),
        (made(3)[0], {}, "at least 4 rows and a column, found 3 x 64"),
        (made()[0].astype(int), {}, "must be a matrix of floats.*found int64"),
        (made()[0][0], {}, r"must be a matrix of floats.*of shape \(64,\)"),
        (made()[0], {"dim": 4}, "dim must be from 1 to 3, found 4"),
        (made()[0], {"iterations": 0}, "iterations must be from 1"),
        (made()[0], {"learning_rate": -1.0}, "learning_rate must be more than 0, found -1"),
        (made()[0], {"learning_rate": np.nan}, "learning_rate must be more than 0, found nan"),
        (made()[0], {"exaggeration": 0.5}, "exaggeration must be from 1"),
        (made()[0], {"jitter": -0.1}, "jitter must be from 0"),
    ],
)
def test_bad_input_is_named(points, options, message):
    with pytest.raises(InputError, match=message):
        short(points, **options)


def test_memory_is_asked_for_before_starting(monkeypatch):
    monkeypatch.setattr("jaxemb.memory.available_memory", lambda: 10_000)
    with pytest.raises(InputError, match="150 points with 36 neighbours.*GB of memory"):
        short()


def test_every_width_has_one_way():
    ways = [tsne_programs._way(span, 70_000, 2, FAST) for span in np.geomspace(1e-4, 1000, 3000)]
    in_order = list(dict.fromkeys(ways))
    assert in_order[0].above == -np.inf
    assert in_order[0].per_unit > FAST.per_unit == in_order[1].per_unit
    for before, after in zip(in_order, in_order[1:], strict=False):
        assert before.up_to == after.above
    for way in in_order:
        held = np.float32(capacity(way.nodes, Mesh(way.per_unit, FAST.order)))
        assert way.up_to == held
    assert tsne_programs._way(50.0, 300, 2, FAST).nodes == 0
    with pytest.raises(InputError, match="for which a grid in 2 dimensions would need"):
        tsne_programs._way(1e6, 10**8, 2, FAST)


@pytest.mark.data
def test_mnist(data_dir):
    file = np.load(data_dir / "mnist.npz")
    images = file["x_test"][:1500].reshape(1500, -1).astype(np.float32) / 255
    fitted = fit(jax.random.key(0), images, iterations=400)
    assert neighbors_with_the_same_label(fitted.embedding, file["y_test"][:1500]) > 0.8


def test_metrics_are_reported():
    seen: list[loop.Metrics] = []
    short(report=lambda done, metrics, seconds: seen.append(metrics))
    assert {len(metrics["gradient_norm"]) for metrics in seen} == {50, 20}
    assert all((metrics["gradient_norm"] > 0).all() for metrics in seen)
    np.testing.assert_allclose(seen[0]["learning_rate"], N / 12)
    np.testing.assert_allclose(seen[-1]["learning_rate"], N)
