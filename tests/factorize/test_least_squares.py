import jax.numpy as jnp
import numpy as np

from jaxemb.factorize.least_squares import solve_rows

RNG = np.random.default_rng(2)


def objective(x, vectors, weights, penalty):
    """Equation 3 of Hu et al., the part of one row, in float64: weights of -1 are no entries."""
    total = penalty * x @ x
    for vector, weight in zip(vectors, weights, strict=True):
        listed = weight >= 0
        confidence = 1 + weight if listed else 1.0
        total += confidence * (float(listed) - x @ vector) ** 2
    return total


def test_rows_solve_the_normal_equations_of_the_paper():
    vectors = RNG.normal(size=(7, 3)).astype(np.float32)
    weights = np.array([[2, -1, 0.5, 4, -1, 1, 3], [-1, 1, -1, -1, -1, -1, 0]], np.float32)
    # The first row in two pieces, out of order; the last piece belongs to none.
    columns = np.array([[3, 0, 2], [6, 5, 0], [1, 6, 0], [0, 1, 2]])
    values = np.array([[4, 2, 0.5], [3, 1, -1], [1, 0, -1], [9, 9, 9]], np.float32)
    gram = vectors.T @ vectors
    found = solve_rows(
        jnp.asarray(vectors[columns]),
        jnp.asarray(values),
        jnp.array([0, 0, 1, 3]),
        jnp.asarray(gram),
        rows=3,
        penalty=0.7,
    )
    for row in range(2):
        y, c = vectors.astype(float), np.where(weights[row] >= 0, 1 + weights[row], 1.0)
        p = (weights[row] >= 0).astype(float)
        x = np.linalg.solve(y.T @ np.diag(c) @ y + 0.7 * np.eye(3), y.T @ np.diag(c) @ p)
        np.testing.assert_allclose(found.rows[row], x, rtol=1e-5, atol=1e-6)
        left = objective(x, y, weights[row], 0.7)
        np.testing.assert_allclose(found.squares[row], left, rtol=1e-4)
        np.testing.assert_allclose(found.most[row], objective(0 * x, y, weights[row], 0.7), 1e-6)
    assert not found.rows[2].any()
