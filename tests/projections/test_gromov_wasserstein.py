import itertools
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.projections.gromov_wasserstein import by_coupling, couple

RNG = np.random.default_rng(5)


def distances(points):
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    return 1 - points @ points.T


def turned(points, noise, order):
    width = points.shape[1]
    turn = np.linalg.qr(RNG.normal(size=(width, width)))[0]
    return (points @ turn + noise * RNG.normal(size=points.shape))[order]


def test_the_best_of_all_permutations_is_found():
    points = RNG.normal(size=(7, 4)) * np.linspace(2, 0.5, 4)
    other = turned(points, 0.2, RNG.permutation(7))
    near, far = distances(points), distances(other)
    costs = {
        way: np.mean((near - far[np.ix_(way, way)]) ** 2)
        for way in itertools.permutations(range(7))
    }
    best = min(costs, key=costs.__getitem__)
    found = couple(jnp.float32(points), jnp.float32(other), epsilon=0.01)
    assert tuple(found.matrix.argmax(axis=1)) == best
    assert found.cost == pytest.approx(costs[best], rel=0.05)
    assert found.converged


def test_a_coupling_is_the_transport_of_its_own_costs():
    points = RNG.normal(size=(9, 4))
    other = RNG.normal(size=(6, 5))
    found = couple(jnp.float32(points), jnp.float32(other), epsilon=0.5)
    near, far = distances(points), distances(other)
    # What a pair costs, by loops over the definition: the squares to all coupled pairs.
    costs = np.zeros((9, 6))
    for i, j, k, m in itertools.product(range(9), range(6), range(9), range(6)):
        costs[i, j] += (near[i, k] - far[j, m]) ** 2 * found.matrix[k, m]
    assert found.cost == pytest.approx(np.sum(costs * found.matrix), rel=1e-3)
    plan = np.exp(-costs / (0.5 * costs.std()))
    for _ in range(2000):
        plan /= 9 * plan.sum(axis=1, keepdims=True)
        plan /= 6 * plan.sum(axis=0, keepdims=True)
    # The solver stops when its cost changes by less than a thousandth.
    np.testing.assert_allclose(found.matrix, plan, atol=0.02 * plan.max())


def test_a_turned_noisy_space_is_paired():
    points = RNG.normal(size=(250, 12)) * np.linspace(2, 0.5, 12)
    points[:100] += 1
    order = RNG.permutation(250)
    pairs = by_coupling(jnp.float32(points), jnp.float32(turned(points, 0.2, order)), epsilon=0.05)
    assert len(pairs) > 240
    assert np.mean(order[pairs[:, 1]] == pairs[:, 0]) > 0.98


def test_without_ott_the_way_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ott.solvers", None)
    with pytest.raises(InputError, match=r"needs the package ott-jax; pip install 'jaxemb\[ott\]'"):
        couple(jnp.ones((3, 2)), jnp.ones((3, 2)))
