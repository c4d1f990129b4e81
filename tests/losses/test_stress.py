import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses.stress import kruskal_stress, raw_stress, sammon_stress

N = 7
# Compiled once for all tests: operation by operation, each would be.
slopes = {
    loss: jax.jit(jax.value_and_grad(loss)) for loss in (raw_stress, kruskal_stress, sammon_stress)
}
LOSSES = list(slopes)


def draw(seed=0):
    rng = np.random.default_rng(seed)
    distances = rng.uniform(0.5, 3, (N, N))
    # Symmetric, but for the losses only what is above the diagonal counts.
    return rng.normal(size=(N, 2)), np.triu(distances, 1) + np.triu(distances, 1).T


def loop(loss, positions, distances):
    """The papers' formulas over pairs i < j, in float64."""
    errors = wanted = lengths = relative = 0.0
    for i in range(N):
        for j in range(i + 1, N):
            target = distances[i, j]
            length = sum((a - b) ** 2 for a, b in zip(positions[i], positions[j], strict=True))
            errors += (target - length**0.5) ** 2
            lengths += length
            if target > 0:
                wanted += target
                relative += (target - length**0.5) ** 2 / target
    return {
        raw_stress: errors,
        kruskal_stress: (errors / lengths) ** 0.5,
        sammon_stress: relative / wanted,
    }[loss]


@pytest.mark.parametrize("loss", LOSSES)
def test_each_is_the_papers(loss):
    positions, distances = draw()
    found, _ = slopes[loss](*map(np.float32, (positions, distances)))
    assert found.shape == ()
    np.testing.assert_allclose(found, loop(loss, positions, distances), rtol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_that_of_differences(loss):
    positions, distances = draw(1)
    found = np.asarray(slopes[loss](*map(np.float32, (positions, distances)))[1])
    step = 1e-5
    for i, k in np.ndindex(N, 2):
        moved = [positions.copy(), positions.copy()]
        moved[0][i, k] -= step
        moved[1][i, k] += step
        low, high = (loop(loss, x, distances) for x in moved)
        # Of differences eight digits are left, of float32 sums six.
        np.testing.assert_allclose(found[i, k], (high - low) / (2 * step), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1e-15, 1e15])
@pytest.mark.parametrize("loss", LOSSES)
def test_stress_and_gradient_are_finite(loss, size):
    positions, distances = map(np.float32, draw(2))
    positions[0] = positions[1]
    positions *= np.float32(size)
    for wanted in (distances, distances * 0, np.full((N, N), 1e15, np.float32)):
        value, gradient = slopes[loss](positions, wanted)
        # Kruskal's has no bound as the map shrinks.
        if loss is not kruskal_stress or size > 1:
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()


def test_a_perfect_map_has_no_stress_and_no_gradient():
    positions = np.float32(draw(3)[0])
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    for slope in slopes.values():
        value, gradient = slope(positions, distances)
        np.testing.assert_allclose(value, 0, atol=1e-6)
        assert np.isfinite(gradient).all()


def test_all_at_one_place():
    distances, together = np.float32(draw()[1]), np.ones((N, 2), np.float32)
    value, gradient = slopes[kruskal_stress](together, distances)
    assert value == np.inf
    assert not np.any(gradient)
    np.testing.assert_allclose(slopes[sammon_stress](together, distances)[0], 1, rtol=1e-6)


def test_pairs_of_distance_zero_are_left_out_of_sammons():
    positions, distances = draw(4)
    distances[2, 5] = distances[5, 2] = 0
    found, _ = slopes[sammon_stress](*map(np.float32, (positions, distances)))
    np.testing.assert_allclose(found, loop(sammon_stress, positions, distances), rtol=1e-5)


def test_shapes_are_checked():
    for loss in LOSSES:
        with pytest.raises(AssertionError):
            loss(jnp.ones((4, 2)), jnp.ones((4, 3)))
