import dataclasses
import functools
import math
import re
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from jaxemb import io
from jaxemb.errors import InputError, StoppedEarly
from jaxemb.losses.tsne_kl import tsne_kl
from jaxemb.methods import tsne
from jaxemb.methods.tsne import Grids, Options, programs, sweep
from jaxemb.methods.tsne.affinities import affinities_of, jittered
from jaxemb.projections.affinities import dense
from jaxemb.projections.grid import Mesh, capacity
from jaxemb.projections.neighbors import Lists
from jaxemb.projections.repulsion import FAST
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import Metrics

# One program for all tests that don't say otherwise: few points are summed over all pairs.
N = 150
SHORT = Options(perplexity=12.0, iterations=120, early_iterations=50, measure_every=25)
# A few points take several sizes of grid, as many points do.
SMALL = Grids(smallest_grid=(16, 16, 16), pair_cost=1e9)


DIGITS, LABELS = load_digits(return_X_y=True)


def made(points=N):
    return DIGITS[:points].astype(np.float32), LABELS[:points]


@functools.cache
def mapped(options):
    """Makes a map once for all tests that ask for the same."""
    return tsne.fit(0, made()[0], options)


def short(points=None, *, run=None, positions=None, **options):
    options = dataclasses.replace(SHORT, **options)
    if points is None and run is None and positions is None:
        return mapped(options)
    points = made()[0] if points is None else points
    return tsne.fit(0, points, options, positions=positions, run=run)


def neighbors_with_the_same_label(embedding, labels):
    found = KNeighborsClassifier(4).fit(embedding, labels).kneighbors()[1]
    return np.mean(labels[found] == labels[:, None])


def test_a_map_shows_what_belongs_together():
    points, labels = made()
    fitted = short()
    start = neighbors_with_the_same_label(short(iterations=1).embedding, labels)
    assert neighbors_with_the_same_label(fitted.embedding, labels) > max(0.88, start + 0.1)
    assert fitted.embedding.shape == (N, 2)
    assert fitted.embedding.dtype == np.float32
    np.testing.assert_allclose(fitted.embedding.mean(axis=0), 0, atol=1e-3)
    assert fitted.iterations == fitted.history.steps == 120
    assert fitted.history.stopped_because == "done"
    np.testing.assert_array_equal(fitted.kl_trace[:, 0], [0, 25, 50, 75, 100, 120])
    assert fitted.kl_trace[-1, 1] == fitted.kl < fitted.kl_trace[0, 1] / 3
    assert set(fitted.seconds) == {"neighbors", "affinities", "initialization", "optimization"}
    shown = affinities_of(points, perplexity=12.0)
    kl = tsne_kl(jnp.asarray(fitted.embedding), dense(shown.graph))
    np.testing.assert_allclose(fitted.kl, kl, rtol=1e-4)
    np.testing.assert_allclose(fitted.perplexity, 12, rtol=1e-4)
    assert fitted.recall == 1
    assert fitted.points is points or (fitted.points == points).all()
    assert fitted.options == SHORT


def test_the_order_of_the_data_is_kept():
    """A map in one dimension of points on a line is in their order, whatever that of the rows."""
    rng = np.random.default_rng(0)
    line = rng.permutation(np.linspace(0, 30, 120)).astype(np.float32)[:, None] * [1, 2, -1]
    options = Options(perplexity=10.0, dim=1, iterations=300, grids=SMALL)
    fitted = tsne.fit(0, line.astype(np.float32), options)
    by_map = np.argsort(fitted.embedding[:, 0])
    order = line[by_map, 0]
    if order[0] > order[-1]:
        order = order[::-1]
    assert np.mean(np.diff(order) > 0) > 0.95


def test_grids_and_all_pairs_make_as_good_maps():
    on_grid, exact = short(grids=SMALL), short(repulsion="exact")
    assert abs(on_grid.kl - exact.kl) < 0.1 * exact.kl


def test_three_dimensions_show_more_than_two():
    flat, solid = (short(dim=dim, iterations=500) for dim in (2, 3))
    assert solid.embedding.shape == (N, 3)
    assert solid.kl < 0.9 * flat.kl


def test_any_cut_of_a_run_takes_the_same_steps(tmp_path, monkeypatch):
    """Though the map grows through several grids."""
    asked = []
    original = programs.plan_for

    def note(*arguments):
        asked.append(original(*arguments))
        return asked[-1]

    monkeypatch.setattr(programs, "plan_for", note)
    options = dataclasses.replace(SHORT, grids=SMALL)
    whole = tsne.fit(0, made()[0], options)
    assert len({plan.nodes for plan in asked}) >= 3
    training = tsne.start(0, made()[0], options)._replace(call_steps=7)

    class Killed(Exception):
        pass

    def kill(done, metrics, seconds):
        if done >= 80:
            raise Killed

    # Killed at 84, it goes on from 77.
    with pytest.raises(Killed):
        loop.fit(training, Run(checkpoints=tmp_path, seconds=0, report=kill))
    training = tsne.start(0, made()[0], options)._replace(call_steps=7)
    resumed = loop.fit(training, Run(checkpoints=tmp_path, seconds=0))
    assert len(resumed.history.loss) == 120 - 77
    np.testing.assert_array_equal(resumed.embedding, whole.embedding)
    assert resumed.kl == whole.kl
    np.testing.assert_array_equal(resumed.kl_trace, whole.kl_trace)


def test_a_map_may_be_looked_at_on_the_way():
    seen = {}

    def look(state, metrics):
        seen[int(state.step)] = tsne.embedding_of(state)
        return state

    training = tsne.start(0, made()[0], SHORT)._replace(call_steps=30, judge=look)
    whole = loop.fit(training)
    assert list(seen) == [30, 60, 90, 120]
    np.testing.assert_array_equal(seen[120], whole.embedding)
    np.testing.assert_array_equal(whole.embedding, short().embedding)


def test_a_loop_of_ones_own_gives_the_same_bits():
    options = dataclasses.replace(SHORT, iterations=60, grids=SMALL)
    training = tsne.start(jax.random.key(0), made()[0], options)
    state = training.state
    for step in range(training.steps):
        state, metrics = training.update(state, training.batch(step))
        assert metrics["loss"].shape == ()
    own = training.finish(state)
    # The states are the caller's: the first is still there, and starts a run of the engine.
    whole = loop.fit(training)
    np.testing.assert_array_equal(own.embedding, whole.embedding)
    assert own.kl == whole.kl
    np.testing.assert_array_equal(own.kl_trace, whole.kl_trace)
    np.testing.assert_array_equal(training.finish(state).embedding, own.embedding)


def test_a_saved_map_takes_new_points(tmp_path):
    points, _ = made(N + 5)
    fitted = short(points[:N], iterations=60)
    io.save(tmp_path / "map", fitted)
    held = io.load(tmp_path / "map")
    np.testing.assert_array_equal(held.embedding, fitted.embedding)
    assert held.options == fitted.options
    new = points[N:]
    np.testing.assert_array_equal(tsne.transform(held, new), tsne.transform(fitted, new))


def test_a_signal_ends_a_run_and_is_named(tmp_path):
    def stop(done, metrics, seconds):
        if done == 80:
            signal.raise_signal(signal.SIGTERM)

    training = tsne.start(0, made()[0], SHORT)._replace(call_steps=40)
    with pytest.warns(StoppedEarly, match="stopped by SIGTERM at step 80 of 120"):
        fitted = loop.fit(training, Run(checkpoints=tmp_path, report=stop))
    assert fitted.history.stopped_because == "SIGTERM"
    assert fitted.iterations == 80
    assert fitted.kl_trace[-1, 0] == 80
    run = Run(checkpoints=tmp_path)
    np.testing.assert_array_equal(short(run=run).embedding, short().embedding)
    again = short(run=run)
    np.testing.assert_array_equal(again.embedding, short().embedding)
    assert again.iterations == 120
    assert again.history.stopped_because == "done"


def test_a_rejected_checkpoint_is_told(tmp_path):
    run = Run(checkpoints=tmp_path, seconds=0)
    whole = short(run=run)
    (tmp_path / "00000120" / "manifest.json").write_text("{}")
    again = short(run=run)
    assert len(again.history.rejected) == 1
    assert "manifest.json" in again.history.rejected[0]
    np.testing.assert_array_equal(again.embedding, whole.embedding)


def test_a_short_gradient_ends_a_run_and_is_named(tmp_path):
    run = Run(checkpoints=tmp_path)
    fitted = short(min_gradient_norm=0.01, iterations=2000, run=run)
    assert fitted.history.stopped_because == "gradient norm below 0.01"
    assert 50 < fitted.iterations <= fitted.history.steps < 2000
    assert fitted.kl_trace[-1, 0] == fitted.iterations
    np.testing.assert_array_equal(short(iterations=fitted.iterations).embedding, fitted.embedding)
    again = short(min_gradient_norm=0.01, iterations=2000, run=run)
    assert again.history.steps == fitted.history.steps
    np.testing.assert_array_equal(again.embedding, fitted.embedding)


def test_several_perplexities_at_once():
    fitted = short(perplexity=[5.0, 20.0])
    np.testing.assert_allclose(fitted.perplexity, 12.5, rtol=1e-3)
    assert np.isfinite(fitted.kl)
    assert fitted.options.perplexity == (5.0, 20.0)


@pytest.mark.parametrize("initialization", ["spectral", "random", "given"])
def test_other_starts_make_as_good_maps(initialization):
    points, labels = made()
    if initialization == "given":
        fitted = short(positions=points[:, [20, 30]] * 5)
    else:
        fitted = short(initialization=initialization)
    assert neighbors_with_the_same_label(fitted.embedding, labels) > 0.8


def test_a_sweep_is_single_runs_bit_for_bit():
    points, _ = made()
    keys = [jax.random.key(4), 5]
    rates, perplexities = [None, 9.0], [12.0, 7.0]
    options = dataclasses.replace(SHORT, repulsion="exact", measure_every=50)
    asked = {"perplexities": perplexities, "learning_rates": rates}
    maps = sweep(keys, points, options, **asked)
    for i, key in enumerate(keys):
        one = dataclasses.replace(options, perplexity=perplexities[i], learning_rate=rates[i])
        single = tsne.fit(key, points, one)
        np.testing.assert_array_equal(maps.embeddings[i], single.embedding)
        np.testing.assert_allclose(maps.kl[i], single.kl, rtol=1e-5)
    together = sweep(keys, points, options, vmap=True, **asked)
    np.testing.assert_allclose(together.kl, maps.kl, rtol=0.15)
    with pytest.raises(InputError, match="as many keys as perplexities and learning rates"):
        sweep(keys, points, options, perplexities=[5.0], learning_rates=rates)
    free = dataclasses.replace(options, max_step_norm=math.inf)
    with pytest.raises(InputError, match="run 1 exploded"):
        sweep(keys, points, free, perplexities=perplexities, learning_rates=[None, 1e9])
    with pytest.raises(InputError, match='repulsion must be "exact" in a sweep'):
        sweep(keys, points, SHORT)


def test_a_sweep_takes_all_else_from_the_options():
    options = dataclasses.replace(
        SHORT, repulsion="exact", jitter=0.05, min_gradient_norm=0.1, gain_increase=0.3
    )
    maps = sweep([1, 2], made()[0], options)
    for i, key in enumerate([1, 2]):
        single = tsne.fit(key, made()[0], options)
        assert single.iterations < 120
        np.testing.assert_array_equal(maps.embeddings[i], single.embedding)


@pytest.mark.parametrize("rate", [1e5, 1e9, 1e30])
def test_a_learning_rate_that_explodes_is_named(rate):
    message = "the map exploded: .*" + re.escape(f"with learning rate {rate:.3g}; a smaller one")
    with pytest.raises(InputError, match=message):
        short(learning_rate=rate, grids=SMALL, max_step_norm=math.inf)
    with pytest.raises(InputError, match=message):
        short(learning_rate=rate, repulsion="exact", max_step_norm=math.inf)
    # With steps of bounded length nothing explodes.
    fitted = short(learning_rate=rate)
    assert np.isfinite(fitted.embedding).all()
    assert fitted.kl < fitted.kl_trace[0, 1]


@pytest.mark.parametrize("places", [1, 3, 9])
def test_points_in_few_places_are_refused_and_jitter_parts_them(places):
    few = np.repeat(made(places)[0], -(-N // places), axis=0)
    with pytest.raises(InputError, match="nothing tells these apart.*jitter"):
        short(few)
    fitted = short(few, jitter=0.05)
    assert np.isfinite(fitted.embedding).all()
    assert len(np.unique(fitted.embedding, axis=0)) == len(few)
    np.testing.assert_array_equal(fitted.points, few)


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


@pytest.mark.parametrize(
    "options",
    [
        {"perplexity": None},
        {"perplexity": 2.0},
        {"perplexity": 45.0},
        {"exaggeration": 1.0},
        {"exaggeration": 50.0},
        {"learning_rate": 1.25},
        {"learning_rate": 125.0},
        {"momentum": 0.95},
    ],
    ids=str,
)
def test_defaults_hold_over_the_usual_range(options):
    _, labels = made()
    fitted = short(**options, iterations=300)
    assert neighbors_with_the_same_label(fitted.embedding, labels) > 0.8
    radii = np.linalg.norm(fitted.embedding, axis=1)
    assert radii.max() < 2 * np.percentile(radii, 95)


def test_ten_points_have_a_map():
    fitted = tsne.fit(0, made(10)[0])
    assert np.isfinite(fitted.embedding).all()
    np.testing.assert_allclose(fitted.perplexity, 3, rtol=0.01)
    assert tsne.transform(fitted, made(2)[0]).shape == (2, 2)


def test_distances_give_the_map_of_their_points():
    points, labels = made()
    distances = np.linalg.norm(points[:, None].astype(float) - points[None], axis=2)
    given = short(distances, metric="precomputed", initialization="spectral")
    # The same but for rounding: so near at first, and as good at the end.
    few = {"iterations": 5, "early_iterations": 5, "initialization": "spectral"}
    start = short(distances, metric="precomputed", **few).embedding
    expected = short(**few).embedding
    np.testing.assert_allclose(start, expected, rtol=0.01, atol=1e-3 * np.abs(expected).max())
    assert abs(given.kl - short(initialization="spectral").kl) < 0.1
    # Classical scaling is PCA, but for signs.
    scaled = short(distances, metric="precomputed", iterations=1).embedding
    by_pca = short(iterations=1).embedding
    for axis in range(2):
        assert abs(np.corrcoef(scaled[:, axis], by_pca[:, axis])[0, 1]) > 0.99
    placed = tsne.transform(given, distances[:9])
    assert np.median(np.linalg.norm(placed - given.embedding[:9], axis=1)) < 2


def test_real_points_of_any_kind_are_taken():
    points, _ = made()
    expected = short().embedding
    for same in (points.astype(np.uint8), points.tolist(), jnp.asarray(points)):
        np.testing.assert_array_equal(short(same).embedding, expected)


# Searched where there are few neighbors to be found, these are not exhaustive.
FEW_LISTS = Lists(approximate_from=0, lists_per_root=0.5, lists_probed=2, list_components=2)
# Options in which the field matters, and another value of it.
CHANGES = {
    "perplexity": ({}, 9.0),
    "dim": ({}, 1),
    "iterations": ({}, 41),
    "learning_rate": ({}, 10.0),
    "exaggeration": ({}, 6.0),
    "early_iterations": ({}, 10),
    "initialization": ({}, "random"),
    "metric": ({}, "cosine"),
    "neighbors": ({"perplexity": 2.0, "lists": FEW_LISTS}, "exact"),
    "neighbors_per_perplexity": ({}, 2.0),
    "repulsion": ({"grids": SMALL}, "exact"),
    "jitter": ({}, 0.1),
    "min_gradient_norm": ({}, 1.0),
    "early_momentum": ({}, 0.4),
    "momentum": ({}, 0.7),
    "gain_increase": ({}, 0.1),
    "gain_decay": ({}, 0.9),
    "least_gain": ({}, 0.7),
    "max_step_norm": ({}, 0.1),
    "start_deviation": ({}, 1e-3),
    "start_noise": ({}, 1e-3),
    "measure_every": ({}, 20),
    "grids": ({}, SMALL),
    "lists": ({"perplexity": 2.0}, FEW_LISTS),
}
GRIDS = {
    "smallest_grid": (20, 20, 20),
    "grid_growth": (1.2, 1.2, 1.2),
    "large_grid": 1,
    "early_fineness": 2.0,
    "pair_cost": 0.0,
    "node_cost": 1e12,
    "touch_cost": 1e12,
}
LISTS = {
    "approximate_from": 10**6,
    "lists_per_root": 0.3,
    "lists_probed": 1,
    "list_rounds": 1,
    "list_sample": 1,
    "list_components": 10**6,
    "candidates_per_neighbor": 5.0,
    "recall_sample": 7,
}
QUICK = dataclasses.replace(SHORT, iterations=40, early_iterations=15)


def assert_another_map(one, two):
    one, two = mapped(one), mapped(two)
    same = one.embedding.shape == two.embedding.shape and (one.embedding == two.embedding).all()
    assert not (same and np.array_equal(one.kl_trace, two.kl_trace) and one.recall == two.recall)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Options)])
def test_each_option_changes_the_result(name):
    base, value = CHANGES[name]
    options = dataclasses.replace(QUICK, **base)
    assert_another_map(options, dataclasses.replace(options, **{name: value}))


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Grids)])
def test_each_number_of_the_grids_changes_the_result(name):
    options = dataclasses.replace(QUICK, grids=SMALL, iterations=60)
    grids = dataclasses.replace(SMALL, **{name: GRIDS[name]})
    assert_another_map(options, dataclasses.replace(options, grids=grids))


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Lists)])
def test_each_number_of_the_lists_changes_the_result(name):
    options = dataclasses.replace(QUICK, perplexity=2.0, iterations=1, lists=FEW_LISTS)
    lists = dataclasses.replace(FEW_LISTS, **{name: LISTS[name]})
    assert_another_map(options, dataclasses.replace(options, lists=lists))


def with_gap():
    points = made()[0].copy()
    points[7, 2] = np.inf
    return points


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (with_gap(), "found inf in row 7, column 2; 1 such values"),
        (made()[0][:30], "less than a third of the 30 points, found 12"),
        (made(3)[0], "at least 4 rows and a column, found 3 x 64"),
        (made()[0].astype(complex), "must be a matrix of floats.*found complex128"),
        (made()[0].astype(str), "must be a matrix of floats.*found <U"),
        (made()[0][0], r"must be a matrix of floats.*of shape \(64,\)"),
        ([[1.0, 2.0], [3.0]], "points must be a matrix, a point a row"),
    ],
)
def test_bad_points_are_named(points, message):
    with pytest.raises(InputError, match=message):
        short(points)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"perplexity": 0}, "perplexity must be at least 1, found 0"),
        ({"perplexity": np.nan}, "perplexity must be at least 1, found nan"),
        ({"perplexity": ()}, "perplexity must be"),
        ({"perplexity": "30"}, "perplexity must be"),
        ({"perplexity": (5.0, -1.0)}, "found -1"),
        ({"perplexity": (5.0, None)}, "perplexity must be"),
        ({"dim": 4}, "dim must be at least 1 and at most 3, found 4"),
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"learning_rate": -1.0}, "learning_rate must be more than 0, found -1"),
        ({"learning_rate": np.nan}, "learning_rate must be more than 0, found nan"),
        ({"learning_rate": np.inf}, "learning_rate must be finite"),
        ({"exaggeration": 0.5}, "exaggeration must be at least 1"),
        ({"jitter": -0.1}, "jitter must be at least 0"),
        ({"initialization": "umap"}, "initialization must be 'pca', 'spectral', 'random'"),
        (
            {"metric": "manhattan"},
            "metric must be 'euclidean', 'cosine' or 'precomputed', found 'manhattan'",
        ),
        ({"metric": "precomputed", "jitter": 0.1}, "jitter must be 0 with precomputed distances"),
        ({"metric": "precomputed", "neighbors": "approximate"}, 'neighbors must be "exact"'),
        ({"max_step_norm": 0}, "max_step_norm must be more than 0, found 0"),
        ({"neighbors": "best"}, "neighbors must be 'auto', 'exact', 'approximate'"),
        ({"repulsion": "none"}, "repulsion must be 'fast', 'accurate', 'exact'"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(InputError, match=message):
        Options(**options)


def test_bad_positions_are_named():
    with pytest.raises(InputError, match=r"positions must be of shape \(150, 2\)"):
        short(positions=np.ones((N, 3)))


def test_memory_is_asked_for_before_starting(monkeypatch):
    monkeypatch.setattr("jaxemb.memory.available_memory", lambda: 10_000)
    with pytest.raises(InputError, match="150 points with 36 neighbors.*GB of memory"):
        short(made()[0])


def test_every_width_has_one_plan():
    def plan(span, points):
        return programs.plan_for(span, points, 2, FAST, Grids())

    plans = [plan(span, 70_000) for span in np.geomspace(1e-4, 1000, 3000)]
    in_order = list(dict.fromkeys(plans))
    assert in_order[0].above == -np.inf
    assert in_order[0].per_unit > FAST.per_unit == in_order[1].per_unit
    for before, after in zip(in_order, in_order[1:], strict=False):
        assert before.up_to == after.above
    for one in in_order:
        held = np.float32(capacity(one.nodes, Mesh(one.per_unit, FAST.order)))
        assert one.up_to == held
    assert plan(50.0, 300).nodes == 0
    with pytest.raises(InputError, match="for which a grid in 2 dimensions would need"):
        plan(1e6, 10**8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"smallest_grid": (16, 16)}, "smallest_grid must be three numbers of at least 16"),
        ({"grid_growth": (1.0, 2.0, 2.0)}, "grid_growth must be three numbers of at least 1.1"),
        ({"pair_cost": -1.0}, "pair_cost must be at least 0"),
    ],
)
def test_bad_grids_are_named(change, message):
    with pytest.raises(InputError, match=message):
        Grids(**change)


@pytest.mark.data
def test_mnist(data_dir):
    file = np.load(data_dir / "mnist.npz")
    images = file["x_test"][:1500].reshape(1500, -1).astype(np.float32) / 255
    fitted = tsne.fit(0, images, Options(iterations=400))
    assert neighbors_with_the_same_label(fitted.embedding, file["y_test"][:1500]) > 0.8


def test_metrics_are_reported():
    seen: list[Metrics] = []
    short(run=Run(report=lambda done, metrics, seconds: seen.append(metrics)))
    assert {len(metrics["gradient_norm"]) for metrics in seen} == {50, 20}
    assert all((metrics["gradient_norm"] > 0).all() for metrics in seen)
    np.testing.assert_allclose(seen[0]["learning_rate"], N / 12)
    np.testing.assert_allclose(seen[-1]["learning_rate"], N)
