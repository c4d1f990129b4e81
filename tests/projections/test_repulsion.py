import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.projections import grid, repulsion
from jaxemb.projections.grid import Mesh, capacity, influence, nodes_for
from jaxemb.projections.repulsion import ACCURATE, FAST, exact_repulsion, grid_repulsion


def made(dim, points=400, span=30.0, seed=0):
    """Clusters about a unit wide, and points between, of another extent along each axis."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(size=(6, dim))[rng.integers(0, 6, points // 2)]
    y = np.concatenate(
        [
            centers + rng.normal(size=centers.shape) / span,
            rng.uniform(size=(points - len(centers), dim)),
        ]
    )
    return (span * y * [1, 0.6, 0.8][:dim] - 7).astype(np.float32)


def loops(y):
    y = y.astype(float)
    force, z = np.zeros(y.shape), 0.0
    for i in range(len(y)):
        apart = y[i] - y
        w = 1 / (1 + np.sum(apart**2, axis=1))
        force[i] = np.sum(w[:, None] ** 2 * apart, axis=0)
        z += w.sum() - 1
    return force, z


def on_grid(y, mesh, nodes=0):
    nodes = nodes or nodes_for(float(np.ptp(y, axis=0).max()), mesh)
    factor = influence(nodes=nodes, dim=y.shape[1], mesh=mesh)
    return jax.jit(lambda y: grid_repulsion(y, factor, nodes=nodes, mesh=mesh))(jnp.asarray(y))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_exact_repulsion_is_that_of_the_loops(dim, monkeypatch):
    monkeypatch.setattr(repulsion, "_AT_A_TIME", 400 * 33)  # several tiles, the last not full
    y = made(dim)
    force, z = loops(y)
    found = exact_repulsion(jnp.asarray(y))
    np.testing.assert_allclose(found.force, force, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.normalizer, z, rtol=1e-5)


# Promised of the default and of the accurate one; the spans bound a 3-D grid's memory.
@pytest.mark.parametrize(("mesh", "error"), [(FAST, 3e-2), (ACCURATE, 1e-3)])
@pytest.mark.parametrize(("dim", "span"), [(1, 90.0), (2, 60.0), (2, 3.0), (3, 8.0)])
def test_a_grid_is_as_near_as_promised(dim, span, mesh, error):
    y = made(dim, span=span)
    force, z = loops(y)
    found = on_grid(y, mesh)
    assert np.linalg.norm(found.force - force) < error * np.linalg.norm(force)
    np.testing.assert_allclose(found.normalizer, z, rtol=error / 30)


def test_any_order_of_splines_does():
    y = made(2, span=12.0)
    force, _ = loops(y)
    errors = [
        np.linalg.norm(on_grid(y, Mesh(2.5, order)).force - force) / np.linalg.norm(force)
        for order in (3, 4, 5)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] < 0.05


def test_finer_nodes_serve_a_map_that_begins():
    """Nearly in one place, what matters is how much a force differs from the mean of all."""
    y = 1e-4 * made(2, span=10.0)
    force, z = loops(y)
    away = force - force.mean(axis=0)
    for finer, error in ((1, 0.3), (8, 3e-3)):
        found = on_grid(y, FAST._replace(per_unit=finer * FAST.per_unit), nodes=128)
        rest = np.asarray(found.force) - np.mean(found.force, axis=0, keepdims=True) - away
        assert np.linalg.norm(rest) < error * np.linalg.norm(away)
        np.testing.assert_allclose(found.normalizer, z, rtol=0.02)


@pytest.mark.parametrize("mesh", [FAST, ACCURATE])
def test_a_grid_holds_what_it_says(mesh):
    touch = jax.jit(lambda y: grid.touch(y, jnp.min(y, axis=0), mesh=mesh))
    for nodes in (32, 100, 128):
        span = capacity(nodes, mesh)
        assert nodes_for(span, mesh) <= nodes
        splines = touch(np.float32([[0, 1], [span, 2], [3, span], [1, 1]]))
        first = np.stack(splines.first)
        assert first.min() >= 0
        assert first.max() + mesh.order <= nodes
        charges = jax.jit(functools.partial(grid.spread, nodes=nodes))(splines)
        np.testing.assert_allclose(np.sum(charges), 4, rtol=1e-6)


def test_a_potential_is_read_anywhere():
    y, places = made(2, span=20.0), made(2, points=31, span=19.0, seed=1)
    mesh = ACCURATE
    nodes = nodes_for(22.0, mesh)
    corner = jnp.full(2, -8.0)
    factor = influence(nodes=nodes, dim=2, mesh=mesh)

    @jax.jit
    def at(y, places):
        potential = grid.potential(y, corner, factor, nodes=nodes, mesh=mesh)
        return grid.read(places, corner, potential, mesh=mesh)

    value, gradient = at(y, places)
    apart = places[:, None].astype(float) - y[None]
    w = 1 / (1 + np.sum(apart**2, axis=-1))
    expected = -2 * np.sum(w[..., None] ** 2 * apart, axis=1)
    assert np.linalg.norm(value - w.sum(axis=1)) < 5e-3 * np.linalg.norm(w.sum(axis=1))
    assert np.linalg.norm(gradient - expected) < 5e-3 * np.linalg.norm(expected)


def test_the_same_bits_on_any_number_of_threads():
    """On a large grid, threads share the lines of a transform out as they are free."""
    y = jnp.asarray(made(2, points=2000, span=200.0))
    factor = influence(nodes=512, dim=2, mesh=FAST)
    run = jax.jit(lambda y: grid_repulsion(y, factor, nodes=512, mesh=FAST).force)
    first = np.asarray(run(y))
    for _ in range(30):
        np.testing.assert_array_equal(run(y), first)
    np.testing.assert_array_equal(influence(nodes=512, dim=2, mesh=FAST), factor)
