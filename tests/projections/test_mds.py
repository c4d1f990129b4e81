import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence
from scipy.spatial.distance import cdist

from jaxemb.errors import InputError
from jaxemb.factorize import pca, row_blocks
from jaxemb.losses.stress import raw_stress
from jaxemb.projections import mds
from jaxemb.projections.mds import classical, guttman_transform, subset_gradient

N, D = 11, 5


@pytest.fixture(autouse=True)
def several_blocks(monkeypatch):
    monkeypatch.setattr(row_blocks, "_AT_A_TIME", 4 * N)


def draw(seed=0):
    """Points, and a map that isn't theirs."""
    rng = np.random.default_rng(seed)
    points = (rng.normal(size=(N, D)) * np.linspace(3, 1, D)).astype(np.float32)
    return points, rng.normal(size=(N, 2)).astype(np.float32)


def float32(*arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_classical_is_pca_for_euclidean_distances(dim):
    points, _ = draw()
    positions, eigenvalues = classical(cdist(points, points), dim=dim)
    fitted = pca.fit(jnp.asarray(points), components=dim)
    expected = np.array(pca.transform(fitted, jnp.asarray(points)))
    # Each has its own rule for signs.
    expected *= np.sign((expected * positions).sum(axis=0))
    np.testing.assert_allclose(positions, expected, atol=1e-4)
    np.testing.assert_allclose(
        eigenvalues, (expected.astype(np.float64) ** 2).sum(axis=0), rtol=1e-4
    )
    largest = np.abs(positions).argmax(axis=0)
    assert (positions[largest, range(dim)] > 0).all()


def test_classical_gives_a_plane_back():
    plane = draw()[1]
    distances = cdist(plane, plane).astype(np.float32)
    positions, _ = classical(distances, dim=2)
    np.testing.assert_allclose(cdist(positions, positions), distances, atol=1e-5)


def test_classical_leaves_what_is_not_real_at_zero():
    # A line in 2 dimensions, and distances that no space has: d(0, 2) = 10 d(0, 1) = 10 d(1, 2).
    line = np.arange(6.0)[:, None]
    positions, eigenvalues = classical(cdist(line, line), dim=2)
    np.testing.assert_array_equal(positions[:, 1], 0)
    bent = np.ones((4, 4)) - np.eye(4)
    bent[0, 2] = bent[2, 0] = 10
    positions, eigenvalues = classical(bent, dim=3)
    assert eigenvalues[2] < 1e-5  # the zero that every such matrix has
    np.testing.assert_array_equal(positions[:, 2], 0)
    assert np.isfinite(positions).all()


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e20])
def test_classical_finds_a_line(size):
    """Its second eigenvalue is nothing but rounding, which iterations don't settle on."""
    line = np.random.default_rng(0).normal(size=(300, 1)).astype(np.float32)
    distances = cdist(line, line).astype(np.float32) * np.float32(size)
    positions, eigenvalues = classical(distances, dim=2)
    np.testing.assert_array_equal(positions[:, 1], 0)
    line -= line.mean()
    line *= np.sign(line[np.abs(line).argmax()])
    np.testing.assert_allclose(positions[:, 0] / size, line[:, 0], atol=1e-4)
    np.testing.assert_allclose(eigenvalues[0] / size**2, np.square(line).sum(), rtol=1e-4)


def test_classical_does_without_iterations_that_dont_settle(monkeypatch):
    points, _ = draw()
    expected = classical(cdist(points, points), dim=2)

    def unsettled(*args, **options):
        raise ArpackNoConvergence("no convergence", [], [])

    monkeypatch.setattr(mds, "eigsh", unsettled)
    for one, other in zip(classical(cdist(points, points), dim=2), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_classical_refuses_what_it_cannot_map():
    distances = cdist(draw()[0], draw()[0])
    for bad, dim, message in (
        (distances * 0, 2, "all 11 points are at the same place"),
        (distances, 11, "dim must be from 1 to 10"),
        (distances[:5], 2, "a square matrix"),
    ):
        with pytest.raises(InputError, match=message):
            classical(bad, dim=dim)


def test_classical_maps_a_simplex():
    """All eigenvalues but one are the same."""
    distances = np.ones((30, 30)) - np.eye(30)
    positions, eigenvalues = classical(distances, dim=2)
    np.testing.assert_allclose(eigenvalues, 0.5, rtol=1e-5)
    np.testing.assert_allclose((positions**2).sum(axis=0), 0.5, rtol=1e-4)


def test_the_transform_is_the_papers():
    points, start = draw()
    wanted = cdist(points, points)
    expected, stress = np.zeros((N, 2)), 0.0
    for i in range(N):
        for j in range(N):
            if i != j:
                length = np.linalg.norm(start[i].astype(np.float64) - start[j])
                expected[i] += wanted[i, j] / length * (start[i] - start[j]) / N
                stress += (wanted[i, j] - length) ** 2 / 2
    found, found_stress = jax.jit(guttman_transform)(*float32(start, wanted))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found_stress, stress, rtol=1e-5)


def test_the_move_is_the_gradients():
    points, start = draw(1)
    start, wanted = float32(start, cdist(points, points))
    stress, gradient = jax.jit(jax.value_and_grad(raw_stress))(start, wanted)
    moved, found = jax.jit(guttman_transform)(start, wanted)
    centered = start - start.mean(axis=0, keepdims=True)
    np.testing.assert_allclose(2 * N * (centered - moved), gradient, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found, stress, rtol=1e-5)


def test_points_at_one_place_stay_finite():
    points, start = draw()
    start[3:6] = start[2]
    moved, stress = jax.jit(guttman_transform)(*float32(start, cdist(points, points)))
    assert np.isfinite(moved).all()
    assert np.isfinite(stress)


def test_the_gradient_of_a_subset_is_that_of_all_pairs_in_expectation():
    """Every subset is as likely as any other, so that its mean is its expectation."""
    points, start = draw(2)
    points, start = points[:6], start[:6]
    take = jax.jit(lambda positions, points: subset_gradient(positions, points, count=6))
    mean, mean_stress = np.zeros((6, 2)), 0.0
    subsets = list(itertools.combinations(range(6), 3))
    for subset in subsets:
        ids = np.array(subset)
        gradient, stress = take(*float32(start[ids], points[ids]))
        mean[ids] += np.asarray(gradient) / len(subsets)
        mean_stress += float(stress) / len(subsets)
    slope = jax.jit(jax.value_and_grad(raw_stress))
    stress, gradient = slope(*float32(start, cdist(points, points)))
    np.testing.assert_allclose(mean, gradient, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(mean_stress, stress, rtol=1e-5)


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        guttman_transform(jnp.ones((4, 2)), jnp.ones((4, 3)))
    with pytest.raises(AssertionError):
        subset_gradient(jnp.ones((4, 2)), jnp.ones((3, 5)), count=9)
