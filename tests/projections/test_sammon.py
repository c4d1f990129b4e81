import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from jaxemb.factorize import row_blocks
from jaxemb.losses.stress import sammon_stress
from jaxemb.projections import sammon
from jaxemb.projections.sammon import newton_direction

N = 9
# Operation by operation, each would be compiled.
newton_step = jax.jit(sammon.newton_step)


@pytest.fixture(autouse=True)
def several_blocks(monkeypatch):
    monkeypatch.setattr(row_blocks, "_AT_A_TIME", 4 * N)


def draw(seed=0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(N, 4))
    return rng.normal(size=(N, 2)), cdist(points, points)


def loop(positions, wanted):
    """Sammon's appendix: Newton's step of each coordinate, without the magic factor."""
    total = sum(wanted[i, j] for i in range(N) for j in range(i + 1, N))
    step = np.zeros(positions.shape)
    for p, q in np.ndindex(positions.shape):
        first = second = 0.0
        for j in range(N):
            if j != p:
                target, length = wanted[p, j], np.linalg.norm(positions[p] - positions[j])
                apart = positions[p, q] - positions[j, q]
                first += -2 / total * (target - length) / (target * length) * apart
                bend = apart**2 / length * (1 + (target - length) / length)
                second += -2 / total / (target * length) * ((target - length) - bend)
        step[p, q] = -first / abs(second)
    return step


def float32(*arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


def test_direction_is_the_papers():
    positions, wanted = draw()
    found = jax.jit(newton_direction)(*float32(positions, wanted))
    # A second derivative near 0 loses digits.
    np.testing.assert_allclose(found, loop(positions, wanted), rtol=1e-3, atol=1e-4)


def test_direction_is_that_of_the_losses_derivatives():
    positions, wanted = float32(*draw(1))
    gradient = jax.jit(jax.grad(sammon_stress))(positions, wanted)
    hessian = jax.jit(jax.hessian(sammon_stress))(positions, wanted)
    second = jnp.einsum("pqpq->pq", hessian)
    found = jax.jit(newton_direction)(positions, wanted)
    np.testing.assert_allclose(found, -gradient / jnp.abs(second), rtol=1e-3, atol=1e-4)


def test_a_harmless_step_is_the_papers():
    positions, wanted = draw(2)
    found, stress = newton_step(*float32(positions, wanted), magic_factor=0.01)
    expected = positions + 0.01 * loop(positions, wanted)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(stress, sammon_stress(*float32(positions, wanted)), rtol=1e-6)


def test_the_stress_falls_whatever_the_step():
    step = jax.jit(lambda x, wanted: newton_step(x, wanted, magic_factor=50.0))
    x, wanted = float32(*draw(3))
    stresses = []
    for _ in range(30):
        x, stress = step(x, wanted)
        stresses.append(float(stress))
    assert (np.diff(stresses) <= 0).all()
    assert stresses[-1] < 0.5 * stresses[0]


def test_points_at_one_place_stay_finite():
    positions, wanted = draw()
    positions[3:5] = positions[2]
    after, stress = newton_step(*float32(positions, wanted), magic_factor=0.35)
    assert np.isfinite(after).all()
    assert np.isfinite(stress)
    after, _ = newton_step(*float32(0 * positions, wanted), magic_factor=0.35)
    np.testing.assert_array_equal(after, 0)
