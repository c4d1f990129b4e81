"""Multidimensional scaling: maps that preserve distances, by eigenvectors or iterations."""

import contextlib

import chex
import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from jaxemb.errors import InputError
from jaxemb.factorize.row_blocks import map_rows
from jaxemb.losses.distances import pairwise_euclidean, pairwise_squared_euclidean
from jaxemb.memory import require_memory
from jaxemb.projections.distance_matrix import check_distances, power_of_two


def classical(distances: np.ndarray, *, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Computes the map whose inner products are nearest to those that the distances imply.

    For Euclidean distances this equals PCA. It needs memory for two more matrices.

    Args:
      distances: [N, N] float, symmetric with a zero diagonal, e.g. from `distance_matrix`.
      dim: of the map, d, less than N.

    Returns:
      positions: [N, d] float32, centered, the widest coordinate first; its sign is such that the
        entry of largest magnitude is positive. A coordinate is 0 if its eigenvalue isn't positive:
        no d real coordinates have such distances.
      eigenvalues: [d] float64 of the matrix of inner products, in squared units of the distances.

    Raises:
      InputError: if an argument is outside its documented range, or memory is short.

    Reference:
      Torgerson 1952, "Multidimensional scaling: I. Theory and method"; Borg & Groenen 2005,
      section 12.1.
    """
    check_distances(distances)
    count = len(distances)
    check_dim(dim, count)
    require_memory(8 * count**2, f"classical scaling of {count:,} points", "take fewer points")
    scale = power_of_two(float(distances.max()))
    products = np.square(distances * scale, dtype=np.float32)
    means = products.mean(axis=0, dtype=np.float64)
    products -= means[:, None].astype(np.float32)
    products -= (means - means.mean())[None, :].astype(np.float32)
    products *= -0.5
    ascending, vectors = _largest_eigenvectors(products, dim)
    eigenvalues, vectors = ascending[::-1].astype(np.float64), vectors[:, ::-1]
    # Rounding makes the eigenvalues of a singular matrix slightly positive.
    positive = eigenvalues > 1e-6 * max(eigenvalues[0], 0)
    positions = vectors * np.sqrt(np.where(positive, eigenvalues, 0))[None, :]
    largest = np.abs(positions).argmax(axis=0)
    positions *= np.sign(positions[largest, range(dim)])[None, :] + (~positive)[None, :]
    return (positions / scale).astype(np.float32), eigenvalues / scale**2


def check_dim(dim: int, count: int) -> None:
    """Refuses, with an InputError, a map of as many dimensions as there are points."""
    if not 1 <= dim < count:
        raise InputError(f"dim must be from 1 to {count - 1}, less than the points, found {dim}")


def _largest_eigenvectors(products: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the eigenvalues that are largest, in ascending order, and their eigenvectors."""
    count = len(products)

    def multiply(vector: np.ndarray) -> np.ndarray:
        return (products @ vector.ravel().astype(np.float32)).astype(np.float64)

    begin = np.random.default_rng(0).normal(size=count)
    operator = LinearOperator((count, count), matvec=multiply, dtype=np.float64)
    # For a few eigenvectors, iterations take a hundredth of the time of a full decomposition.
    with contextlib.suppress(ArpackError):
        values, vectors = eigsh(
            operator, k=dim, which="LA", v0=begin - begin.mean(), tol=1e-7, maxiter=100
        )
        order = np.argsort(values)
        return values[order], vectors[:, order]
    # Iterations don't converge where eigenvalues vanish beside the first: e.g. points on a line.
    return eigh(products, subset_by_index=(count - dim, count - 1))


def guttman_transform(positions: jax.Array, distances: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Moves each point to the mean of the places that all others, at the right distance, ask for.

    Repeated, this is SMACOF: the stress never rises. The gradient of the raw stress is
    2 N (positions - transform), so that gradient descent with rate 1 / (2 N) is the same.

    Args:
      positions: [N, d] the map, centered.
      distances: [N, N] target distances, symmetric with a zero diagonal.

    Returns:
      transform: [N, d] centered. Points at the same place don't push each other.
      stress: [] the raw stress of `positions`, before the move; a sum.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      De Leeuw 1977, "Applications of convex analysis to multidimensional scaling"; Borg & Groenen
      2005, eqs. 8.24 and 8.25.
    """
    chex.assert_rank(positions, 2)
    count = len(positions)
    chex.assert_shape(distances, (count, count))

    def of_rows(moved: jax.Array, wanted: jax.Array) -> tuple[jax.Array, jax.Array]:
        squares = pairwise_squared_euclidean(moved, positions)  # [B, N]
        apart = squares > 0
        lengths = jnp.where(apart, jnp.sqrt(jnp.where(apart, squares, 1)), 0)
        ratios = jnp.where(apart, wanted / jnp.where(apart, lengths, 1), 0)
        pulled = jnp.matmul(ratios, positions, precision=jax.lax.Precision.HIGHEST)
        transform = (jnp.sum(ratios, axis=1, keepdims=True) * moved - pulled) / count
        return transform, jnp.sum(jnp.square(wanted - lengths), axis=1)

    transform, stress = map_rows(of_rows, positions, distances)
    return transform, jnp.sum(stress) / 2


def subset_gradient(
    positions: jax.Array, points: jax.Array, *, count: int
) -> tuple[jax.Array, jax.Array]:
    """Estimates the gradient of the raw stress from all pairs within a random subset of points.

    Over subsets drawn without replacement, the expectation of both results is that of all pairs.
    Nothing of size [N, N] exists.

    Args:
      positions: [M, d] the map, of the subset.
      points: [M, D] the subset, whose Euclidean distances are the targets; M at least 2.
      count: N, all points.

    Returns:
      gradient: [M, d]; that of other points is 0.
      stress: [] a sum over all pairs.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    size = len(positions)
    chex.assert_shape(points, (size, None))
    assert 2 <= size <= count, f"{size} of {count} points"
    distances = jnp.where(jnp.eye(size, dtype=bool), 0, pairwise_euclidean(points, points))
    centered = positions - positions.mean(axis=0, keepdims=True)
    transform, stress = guttman_transform(centered, distances)
    # A pair is in the subset with probability M (M - 1) / (N (N - 1)).
    share = size * (size - 1) / (count * (count - 1))
    return 2 * size * (centered - transform) / share, stress / share
