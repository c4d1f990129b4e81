import functools

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse as sp

from jaxemb.projections import affinities
from jaxemb.projections.affinities import (
    by_perplexity,
    by_sigma,
    dense,
    from_directed,
    join,
    multiscale,
    uniform,
)
from jaxemb.projections.neighbors import nearest_neighbors

N, D, K = 50, 4, 20


def made(seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(N, D)) * [1, 3, 2, 0.5]).astype(np.float32)


def near(seed=0, k=K):
    return nearest_neighbors(made(seed), k=k)


def loop_conditional(distances, perplexity):
    """The paper's bisection, point by point in float64."""
    p = np.zeros(distances.shape)
    for i, row in enumerate(distances.astype(float)):
        low, high = 0.0, np.inf
        precision = 1.0
        for _ in range(200):
            weights = np.exp(-(row - row.min()) * precision)
            p[i] = weights / weights.sum()
            entropy = -sum(x * np.log2(x) for x in p[i] if x > 0)
            if 2**entropy > perplexity:
                low = precision
                precision = precision * 2 if high == np.inf else (low + high) / 2
            else:
                high = precision
                precision = (low + high) / 2
    return p


@functools.cache
def expected_conditional(perplexity):
    return loop_conditional(near().distances, perplexity)


@pytest.mark.parametrize("perplexity", [1.5, 5, 13.7])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e25])
def test_perplexity_is_that_of_the_loops(perplexity, scale):
    distances = near().distances
    found = by_perplexity(jnp.asarray(distances * np.float32(scale)), perplexity=perplexity)
    np.testing.assert_allclose(found.p, expected_conditional(perplexity), atol=2e-5)
    np.testing.assert_allclose(found.perplexity, perplexity, rtol=1e-4)
    np.testing.assert_allclose(np.asarray(found.p).sum(axis=1), 1, rtol=1e-5)


def test_tiles_leave_the_bits_alone(monkeypatch):
    distances = jnp.asarray(near().distances)
    whole = by_perplexity(distances, perplexity=6.0)
    monkeypatch.setattr(affinities, "_AT_A_TIME", 7 * K)
    by_perplexity.clear_cache()
    found = by_perplexity(distances, perplexity=6.0)
    by_perplexity.clear_cache()
    np.testing.assert_allclose(found.p, whole.p, rtol=1e-5, atol=1e-7)


def test_perplexities_out_of_reach_are_reported():
    equal = by_perplexity(jnp.full((2, 9), 3.0), perplexity=4.0)
    np.testing.assert_allclose(equal.p, 1 / 9, rtol=1e-6)
    np.testing.assert_allclose(equal.perplexity, 9, rtol=1e-5)
    ties = by_perplexity(jnp.array([[0.0, 0, 0, 5, 7, 9]]), perplexity=2.0)
    np.testing.assert_allclose(ties.p[0], [1 / 3, 1 / 3, 1 / 3, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(ties.perplexity, 3, rtol=1e-5)
    far = by_perplexity(jnp.array([[0.0, 1e-12, 1, 2, 3e30, 1e30]]), perplexity=1.5)
    assert np.isfinite(far.p).all()


def test_one_sigma_for_all():
    distances = near().distances.astype(float)
    found = by_sigma(jnp.asarray(distances, jnp.float32), sigma=1.3)
    for i in range(N):
        weights = [np.exp(-d / (2 * 1.3**2)) for d in distances[i]]
        np.testing.assert_allclose(found.p[i], np.array(weights) / sum(weights), atol=1e-5)
        entropy = -sum(float(x) * np.log2(float(x)) for x in np.asarray(found.p[i]) if x > 0)
        np.testing.assert_allclose(found.perplexity[i], 2**entropy, rtol=1e-3)
    tiny = by_sigma(jnp.asarray(distances, jnp.float32), sigma=1e-6)
    np.testing.assert_allclose(np.asarray(tiny.p).max(axis=1), 1, rtol=1e-5)


def test_uniform():
    found = uniform(jnp.asarray(near().distances))
    assert found.p.shape == (N, K)
    np.testing.assert_allclose(found.p, 1 / K)
    np.testing.assert_allclose(found.perplexity, K)


def loop_joint(ids, conditional):
    joint = np.zeros((N, N))
    for i in range(N):
        for j, p in zip(ids[i], conditional[i], strict=True):
            joint[i, j] += p / (2 * N)
            joint[j, i] += p / (2 * N)
    return joint


@pytest.mark.parametrize("at_a_time", [7, 1000])
def test_joint_probabilities_are_those_of_the_loops(at_a_time, monkeypatch):
    monkeypatch.setattr(affinities, "_POINTS_AT_A_TIME", at_a_time)
    found = near(1)
    conditional = by_perplexity(jnp.asarray(found.distances), perplexity=5.0)
    graph = join(found.ids, [conditional])
    expected = loop_joint(found.ids, np.asarray(conditional.p, float))
    np.testing.assert_allclose(dense(graph), expected, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(np.asarray(graph.joint, float).sum(), 1, rtol=1e-5)
    plogp = sum(p * np.log(p) for p in expected.ravel() if p > 0)
    np.testing.assert_allclose(graph.plogp, plogp, rtol=1e-5)
    assert sorted(graph.order.tolist()) == list(range(N))
    assert (np.diff(graph.owners) >= 0).all()
    assert set(graph.owners.tolist()) == set(range(N))
    padding = np.asarray(graph.neighbors == graph.owners[:, None])
    assert not np.asarray(graph.joint)[padding].any()


def test_joint_probabilities_are_those_of_open_tsne():
    affinity = pytest.importorskip("openTSNE.affinity")
    points = made(2)
    theirs = affinity.PerplexityBasedNN(points, perplexity=6, method="exact").P.toarray()
    found = nearest_neighbors(points, k=18)
    distances = jnp.asarray(found.distances)
    ours = dense(join(found.ids, multiscale(distances, perplexities=[6.0])))
    # Theirs stops at a tolerance of 1e-5 in entropy.
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_several_perplexities_are_those_of_open_tsne():
    affinity = pytest.importorskip("openTSNE.affinity")
    points = made(3)
    theirs = affinity.Multiscale(points, perplexities=[3, 6], method="exact").P.toarray()
    found = nearest_neighbors(points, k=18)
    distances = jnp.asarray(found.distances)
    ours = dense(join(found.ids, multiscale(distances, perplexities=[3.0, 6.0])))
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_any_sparse_matrix_makes_a_graph():
    """Also one with rows of all lengths, some of them empty."""
    rng = np.random.default_rng(4)
    weights = rng.uniform(size=(N, N)) * (rng.uniform(size=(N, N)) < rng.uniform(size=(N, 1)) ** 3)
    np.fill_diagonal(weights, 0)
    weights[7] = weights[:, 7] = 0
    weights /= 2 * weights.sum()
    graph = from_directed(sp.csr_array(weights.astype(np.float32)))
    np.testing.assert_allclose(dense(graph), weights + weights.T, rtol=1e-5, atol=1e-12)
    assert set(graph.owners.tolist()) == set(range(N))
