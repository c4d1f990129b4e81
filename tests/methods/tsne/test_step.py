import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.tsne_kl import tsne_kl, tsne_kl_gradient
from jaxemb.methods.tsne import step as tsne
from jaxemb.projections.affinities import dense, join, multiscale
from jaxemb.projections.neighbors import nearest_neighbors
from jaxemb.projections.repulsion import exact_repulsion

N = 35


def made(dim=2, seed=0):
    """Points of a map, in the graph's order and the data's, and their graph."""
    rng = np.random.default_rng(seed)
    found = nearest_neighbors(rng.normal(size=(N, 5)).astype(np.float32), k=12)
    graph = join(found.ids, multiscale(jnp.asarray(found.distances), perplexities=[4.0]))
    y = jnp.asarray(rng.normal(size=(N, dim)) * 3, jnp.float32)
    return y, y[graph.order], graph


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_attraction_and_repulsion_make_the_papers_gradient(dim):
    y, ordered, graph = made(dim)
    repulsion = exact_repulsion(ordered)
    found = 4 * (tsne.attract(ordered, graph) - repulsion.force / repulsion.normalizer)
    expected = tsne_kl_gradient(y, dense(graph))[graph.order]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_divergence_is_the_kl(dim):
    y, ordered, graph = made(dim, seed=1)
    found = tsne.divergence(ordered, graph, exact_repulsion(ordered).normalizer)
    np.testing.assert_allclose(found, tsne_kl(y, dense(graph)), rtol=1e-5)


def test_the_start_is_all_in_one_place():
    y, _, graph = made(seed=2)
    state = tsne.start(jax.random.key(0), y, graph)
    np.testing.assert_allclose(
        state.opt_state.kl, tsne_kl(jnp.zeros((N, 2)), dense(graph)), rtol=1e-5
    )


def test_steps_are_those_of_a_plain_loop():
    """Algorithm 1 of the paper with gains, coordinate by coordinate in float64."""
    y, ordered, graph = made(seed=3)
    joint = np.asarray(dense(graph), float)[np.ix_(graph.order, graph.order)]
    phases = tsne.schedule(
        points=N, early_iterations=3, exaggeration=4.0, learning_rate=7.0, measure_every=2
    )(0, 5)
    state = tsne.start(jax.random.key(0), y, graph)
    longest = 0.3
    take = jax.jit(tsne.update(graph, exact_repulsion, tsne.Rule(max_step_norm=longest)))
    y = np.asarray(ordered, float)
    shortened = []
    velocity, gains = np.zeros((N, 2)), np.ones((N, 2))
    for step in range(5):
        exaggeration, momentum = (4, 0.5) if step < 3 else (1, 0.8)
        before = y
        w = 1 / (1 + np.sum((y[:, None] - y[None]) ** 2, axis=-1)) - np.eye(N)
        q = w / w.sum()
        gradient = np.zeros((N, 2))
        for i in range(N):
            for j in range(N):
                gradient[i] += 4 * (exaggeration * joint[i, j] - q[i, j]) * w[i, j] * (y[i] - y[j])
        for i, c in np.ndindex(N, 2):
            if (gradient[i, c] > 0) != (velocity[i, c] > 0) or velocity[i, c] == 0:
                gains[i, c] += 0.2
            else:
                gains[i, c] = max(0.8 * gains[i, c], 0.01)
            velocity[i, c] = momentum * velocity[i, c] - 7 * gains[i, c] * gradient[i, c]
        for i in range(N):
            length = math.hypot(*velocity[i])
            shortened.append(length > longest)
            if shortened[-1]:
                velocity[i] *= longest / length
        y = y + velocity
        y = y - y.mean(axis=0)
        state, metrics = take(state, jax.tree.map(lambda leaf, step=step: leaf[step], phases))
        np.testing.assert_allclose(state.params, y, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(state.opt_state.gains, gains, rtol=1e-5)
        np.testing.assert_allclose(metrics["gradient_norm"], np.linalg.norm(gradient), rtol=1e-4)
        if step in (0, 2, 4):
            measured = tsne_kl(jnp.asarray(before, jnp.float32), jnp.asarray(joint, jnp.float32))
            np.testing.assert_allclose(metrics["loss"], measured, rtol=1e-4)
            last = metrics["loss"]
        assert metrics["loss"] == last
    assert int(state.step) == 5
    assert 0.1 < np.mean(shortened) < 0.9


def test_a_small_gradient_ends_a_run_after_the_early_steps():
    y, _, graph = made(seed=4)
    phases = tsne.schedule(
        points=N, early_iterations=2, exaggeration=4.0, learning_rate=1.0, measure_every=1
    )(0, 4)
    state = tsne.start(jax.random.key(0), y, graph)
    take = jax.jit(tsne.update(graph, exact_repulsion, tsne.Rule(min_gradient_norm=100.0)))
    seen = []
    for step in range(4):
        state, _ = take(state, jax.tree.map(lambda leaf, step=step: leaf[step], phases))
        seen.append(np.asarray(state.params))
    assert (seen[0] != seen[1]).any()
    np.testing.assert_array_equal(seen[1], seen[2])
    np.testing.assert_array_equal(seen[1], seen[3])
    assert int(state.opt_state.converged) == 2
    assert int(state.step) == 4


def test_other_momenta_are_in_the_schedule():
    phases = tsne.schedule(
        points=30,
        early_iterations=1,
        exaggeration=12.0,
        learning_rate=1.0,
        measure_every=50,
        early_momentum=0.3,
        momentum=0.9,
    )(0, 2)
    np.testing.assert_array_equal(phases.momentum, np.float32([0.3, 0.9]))


def test_the_schedule_is_the_usual():
    phases = tsne.schedule(
        points=1200, early_iterations=250, exaggeration=12.0, learning_rate=None, measure_every=50
    )(248, 252)
    np.testing.assert_array_equal(phases.exaggeration, np.float32([12, 12, 1, 1]))
    np.testing.assert_array_equal(phases.momentum, np.float32([0.5, 0.5, 0.8, 0.8]))
    np.testing.assert_array_equal(phases.learning_rate, np.float32([100, 100, 1200, 1200]))
    np.testing.assert_array_equal(phases.measure, [False, False, True, False])
    np.testing.assert_array_equal(phases.may_stop, [False, False, True, True])
